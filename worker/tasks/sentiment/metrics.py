"""Every number that the review model reports, the headline first."""

from worker.report.blocks import Metric

METRICS = (
    Metric("accuracy", "Test accuracy", 4, better="higher"),
    Metric("validation_accuracy", "Validation accuracy", 4, better="higher"),
    Metric("positive_share", "Share called positive", 4),
    Metric("f1", "F1", 4, better="higher"),
    Metric("precision", "Precision", 4, better="higher"),
    Metric("recall", "Recall", 4, better="higher"),
    Metric("roc_auc", "Area under the ROC curve", 4, better="higher"),
    Metric("average_precision", "Average precision", 4, better="higher"),
    Metric("loss", "Cross-entropy", 4, "nats", better="lower"),
    Metric("validation_loss", "Validation cross-entropy", 4, "nats", better="lower"),
    Metric("training_loss", "Training cross-entropy", 4, "nats", better="lower"),
    Metric("best_epoch", "Best epoch", 0),
    Metric("threshold", "Threshold", 4),
    Metric("target_precision", "Target precision", 4),
    Metric("target_recall", "Target recall", 4),
    Metric("validation_precision", "Precision on validation reviews", 4, better="higher"),
    Metric("validation_recall", "Recall on validation reviews", 4, better="higher"),
    Metric("accuracy_low", "Accuracy, lower end of the 95 % interval", 4),
    Metric("accuracy_high", "Accuracy, upper end of the 95 % interval", 4),
    Metric("f1_low", "F1, lower end of the 95 % interval", 4),
    Metric("f1_high", "F1, upper end of the 95 % interval", 4),
    Metric("true_positives", "Positive, called positive", 0),
    Metric("false_positives", "Negative, called positive", 0),
    Metric("true_negatives", "Negative, called negative", 0),
    Metric("false_negatives", "Positive, called negative", 0),
    Metric("reviews", "Reviews", 0),
    Metric("reviews_per_second", "Speed", 0, "reviews/s", better="higher"),
)
