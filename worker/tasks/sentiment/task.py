"""Reviews: train an LSTM to tell positive from negative, measure it, label reviews with it."""

from worker.context import JobContext
from worker.tasks.sentiment.artifacts import VALIDATION, VOCABULARY, validation_scores, write_reading
from worker.tasks.sentiment.datasets import Recipe
from worker.tasks.sentiment.job_data import load_set, open_source
from worker.tasks.sentiment.labelling import Labeller
from worker.tasks.sentiment.scoring import cross_entropy, probabilities_of
from worker.tasks.sentiment.spec import Evaluate, Generate, Train
from worker.tasks.sentiment.split import reviews_to_measure_by, split_for_training
from worker.tasks.sentiment.trained_model import load_trained
from worker.tasks.sentiment.training import ReviewTraining, prepare_training
from worker.training.best_epoch import train_best

THRESHOLD = 0.5


def train(context: JobContext) -> dict[str, float]:
    """Train from scratch on the training reviews, and keep the weights of the best epoch.

    Raises:
        InvalidData: the reviews cannot be used.
        InvalidJob: the job would need more memory than is sensible.
        Cancelled: a stop was requested; the checkpoint is kept.
        JobFailed: training diverged.
        DamagedFolder: the checkpoint cannot be read, or belongs to another training job.
    """
    parameters = context.spec.parameters
    assert isinstance(parameters, Train)
    source = open_source(context, context.data_to_read())
    reviews = load_set(context, source, Recipe(parameters.length, parameters.vocabulary))
    split = split_for_training(context, source, reviews)
    trainable = prepare_training(context, parameters, source, reviews, split)

    # Before training, so that a cancelled job has them too.
    reviews.vocabulary.write(context.folder / VOCABULARY)
    write_reading(context, parameters.length, THRESHOLD)

    trained = train_best(context, trainable, parameters.epochs)
    _write_validation(context, trainable)
    return {
        "validation_accuracy": trained.best["validation_accuracy"],
        "validation_loss": trained.best["validation_loss"],
        "training_loss": trained.best["loss"],
        "best_epoch": trained.best["epoch"],
        "reviews_per_second": trained.per_second(len(split.training)),
    }


def evaluate(context: JobContext) -> dict[str, float]:
    """Measure a model on test reviews, at a threshold that is chosen on its validation reviews.

    Raises:
        InvalidData: the reviews cannot be used.
        DamagedFolder: the training job's folder cannot be read.
        Cancelled: a stop was requested.
    """
    # scikit-learn, which no training job needs, takes 66 MB and half a second to load.
    from worker.tasks.sentiment import evaluation, evaluation_files, thresholds

    parameters = context.spec.parameters
    assert isinstance(parameters, Evaluate)
    model = load_trained(context.source)
    source = open_source(context, context.data_to_read())
    reviews = load_set(context, source, Recipe(model.length, model.vocabulary))
    places = reviews_to_measure_by(context, source, reviews)
    labels, tokens = reviews.labels[places], reviews.tokens.taken(places)

    context.progress(force=True, stage="measuring")
    logits = model.scorer.logits(tokens, context.check_stop)
    probabilities = probabilities_of(logits)
    validation = validation_scores(context.source)
    threshold, chosen = thresholds.choose_threshold(context, parameters, validation, model.threshold)
    measures = evaluation.measures(labels, probabilities, threshold)

    measured = evaluation_files.Measured(places, labels, probabilities, tokens.lengths, threshold)
    evaluation_files.write_tables(context, measured, validation)
    evaluation_files.write_surest_errors(context, source, measured)
    write_reading(context, model.length, threshold)
    intervals = evaluation.intervals(measures, context.spec.seed)
    loss = cross_entropy(labels, logits)
    return {**measures, **intervals, **chosen, "loss": loss, "reviews": len(places)}


def generate(context: JobContext) -> dict[str, float]:
    """Label reviews: `predictions.csv` has all of them, the report the words that moved the first decisions.

    Raises:
        InvalidData: the reviews cannot be read, or there are none.
        DamagedFolder: the training job's folder cannot be read.
        Cancelled: a stop was requested.
    """
    parameters = context.spec.parameters
    assert isinstance(parameters, Generate)
    model = load_trained(context.source)
    threshold = parameters.threshold or model.threshold
    labeller = Labeller(context, model.scorer, model.vocabulary, model.length, threshold)
    if context.spec.data is None:
        return labeller.label(parameters.text)
    source = open_source(context, context.spec.data, labelled=False)
    return labeller.label(review.text for review in source.read(context.note))


def _write_validation(context: JobContext, trainable: ReviewTraining) -> None:
    """Write the validation reviews' labels and probabilities, by which evaluations choose thresholds."""
    labels, logits = trainable.validate()
    rows = list(zip(labels.tolist(), probabilities_of(logits).tolist(), strict=True))
    context.write_table(VALIDATION, ("label", "probability"), rows)
