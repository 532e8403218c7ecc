"""Every number that the review model reports, the headline first."""

from worker.report.blocks import Metric

_AT = "at the threshold in use"
_BALANCED = (
    "Mean of the shares of positive and of negative reviews that are called what they are; any constant "
    "answer has 0.5, however rare a class"
)
_SAVED = "of the saved model on the validation reviews, by which its epoch was chosen"
_UNSEEN = f"Of the test reviews that are neither training nor validation reviews, {_AT}."

_HEADLINES = (
    Metric(
        "balanced_accuracy",
        "Balanced accuracy",
        at="threshold",
        better="higher",
        interval=("balanced_accuracy_low", "balanced_accuracy_high"),
        definition=f"{_BALANCED}. On the test reviews, {_AT}.",
    ),
    Metric(
        "validation_balanced_accuracy",
        "Validation balanced accuracy at 0.5",
        better="higher",
        interval=("validation_balanced_accuracy_low", "validation_balanced_accuracy_high"),
        definition=f"{_BALANCED}. At the threshold 0.5, {_SAVED}: a little too good for new reviews.",
    ),
    Metric("reviews", "Reviews", 0, definition="Those measured, or labelled. Equal test reviews count once."),
)
"""Of evaluation, training and generation."""

_EVALUATION = (
    Metric(
        "threshold",
        "Threshold in use",
        None,
        tile=True,
        definition="A review is called positive from this probability up.",
    ),
    Metric(
        "balanced_accuracy_at_half",
        "Balanced accuracy at 0.5",
        better="higher",
        tile=True,
        interval=("balanced_accuracy_at_half_low", "balanced_accuracy_at_half_high"),
        definition="The same with the threshold 0.5.",
    ),
    Metric(
        "balanced_accuracy_unseen",
        "Balanced accuracy, unseen reviews",
        better="higher",
        interval=("balanced_accuracy_unseen_low", "balanced_accuracy_unseen_high"),
        definition=_UNSEEN,
    ),
    Metric(
        "accuracy",
        "Accuracy",
        at="threshold",
        better="higher",
        tile=True,
        interval=("accuracy_low", "accuracy_high"),
        definition=f"Share of the test reviews that are called what they are, {_AT}.",
    ),
    Metric(
        "baseline_accuracy",
        "Accuracy of the majority class",
        better="higher",
        tile=True,
        definition="Of calling every test review what most of them are.",
    ),
    Metric(
        "accuracy_unseen",
        "Accuracy, unseen reviews",
        better="higher",
        interval=("accuracy_unseen_low", "accuracy_unseen_high"),
        definition=_UNSEEN,
    ),
    Metric(
        "precision",
        "Precision",
        at="threshold",
        better="higher",
        interval=("precision_low", "precision_high"),
        definition=f"Share of the test reviews called positive that are, {_AT}.",
    ),
    Metric(
        "recall",
        "Recall",
        at="threshold",
        better="higher",
        interval=("recall_low", "recall_high"),
        definition=f"Share of the positive test reviews that are called so, {_AT}.",
    ),
    Metric(
        "f1",
        "F1",
        at="threshold",
        better="higher",
        interval=("f1_low", "f1_high"),
        definition=f"Harmonic mean of precision and recall, {_AT}.",
    ),
    Metric(
        "roc_auc",
        "Area under the ROC curve",
        better="higher",
        definition="Chance that a positive test review has a higher probability than a negative one, ties "
        "counting half; guessing has 0.5.",
    ),
    Metric(
        "average_precision",
        "Average precision",
        better="higher",
        definition="Precision at each threshold, weighted by the recall that it adds; guessing has the share "
        "of positive reviews.",
    ),
    Metric(
        "loss",
        "Cross-entropy",
        4,
        "nats",
        better="lower",
        definition="Mean over the test reviews of minus the logarithm of the true label's probability.",
    ),
)

_VALIDATION = (
    Metric(
        "validation_accuracy",
        "Validation accuracy at 0.5",
        better="higher",
        tile=True,
        interval=("validation_accuracy_low", "validation_accuracy_high"),
        definition=f"Share that are called what they are at the threshold 0.5, {_SAVED}.",
        column="validation_accuracy",
    ),
    Metric(
        "baseline_validation_accuracy",
        "Validation accuracy of the majority class",
        better="higher",
        tile=True,
        definition="Of calling every validation review what most of them are.",
    ),
    Metric(
        "validation_loss",
        "Validation cross-entropy",
        4,
        "nats",
        better="lower",
        tile=True,
        column="validation_loss",
        definition=f"Mean of minus the logarithm of the true label's probability, {_SAVED}.",
    ),
    Metric(
        "baseline_validation_loss",
        "Validation cross-entropy of a constant",
        4,
        "nats",
        better="lower",
        definition="Of giving each validation review the share of positive ones, the best constant.",
    ),
    Metric(
        "training_loss",
        "Training cross-entropy",
        4,
        "nats",
        better="lower",
        tile=True,
        definition="Of the saved model, on the training reviews that training_loss_reviews.csv lists.",
        column="loss",
    ),
    Metric("best_epoch", "Best epoch", 0, definition="The one with the lowest validation cross-entropy."),
)

_TARGET = (
    Metric("target_precision", "Target precision", definition="What the threshold was chosen for."),
    Metric("target_recall", "Target recall", definition="What the threshold was chosen for."),
    Metric(
        "target_margin",
        "Above the target",
        better="higher",
        definition="What the test reviews have, less the target; negative where it is missed.",
    ),
    Metric(
        "validation_bound",
        "Lower bound on validation reviews",
        definition="Of the precision or the recall asked for, with 95 % confidence (Clopper and Pearson).",
    ),
    Metric(
        "validation_precision",
        "Precision on validation reviews",
        better="higher",
        definition="At the threshold in use, where it was chosen.",
    ),
    Metric(
        "validation_recall",
        "Recall on validation reviews",
        better="higher",
        definition="At the threshold in use, where it was chosen.",
    ),
    *(
        Metric(f"{name}_at_half", f"{label} at 0.5", better="higher", definition="On the test reviews.")
        for name, label in (
            ("accuracy", "Accuracy"),
            ("precision", "Precision"),
            ("recall", "Recall"),
            ("f1", "F1"),
        )
    ),
)

_COUNTS = (
    Metric(
        "positive_share",
        "Share called positive",
        tile=True,
        definition="Of the reviews that have a word that the model knows; the others have no label.",
    ),
    Metric(
        "unlabelled_reviews", "Reviews without a known word", 0, tile=True, definition="They have no label."
    ),
    Metric("positive_reviews", "Positive reviews", 0, definition="Those among the test reviews."),
    Metric("seen_reviews", "Test reviews among the training reviews", 0),
    Metric("validated_reviews", "Test reviews among the validation reviews", 0),
    Metric("training_reviews", "Training reviews", 0),
    Metric("positive_training_reviews", "Positive training reviews", 0),
    Metric("validation_reviews", "Validation reviews", 0),
    Metric("positive_validation_reviews", "Positive validation reviews", 0),
    Metric("true_positives", "Positive, called positive", 0),
    Metric("false_positives", "Negative, called positive", 0),
    Metric("true_negatives", "Negative, called negative", 0),
    Metric("false_negatives", "Positive, called negative", 0),
    Metric(
        "baseline_balanced_accuracy",
        "Balanced accuracy of a constant answer",
        better="higher",
        definition="0.5 for whatever reviews.",
    ),
    Metric(
        "baseline_validation_balanced_accuracy",
        "Validation balanced accuracy of a constant answer",
        better="higher",
        definition="0.5 for whatever reviews.",
    ),
    Metric(
        "baseline_loss",
        "Cross-entropy of a constant",
        4,
        "nats",
        better="lower",
        definition="Of giving each test review the share of positive ones, the best constant.",
    ),
    Metric(
        "reviews_per_second",
        "Speed",
        0,
        "reviews/s",
        better="higher",
        definition="By the time that all steps took, without compiling, measuring and writing checkpoints.",
    ),
)

METRICS = (*_HEADLINES, *_EVALUATION, *_VALIDATION, *_COUNTS, *_TARGET)
