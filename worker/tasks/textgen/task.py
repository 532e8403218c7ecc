"""Text, character by character: train an LSTM, measure it on held-out text, write with it."""

from pathlib import Path

from jobs.datasets import shown_path
from jobs.store.job_folder import MODEL
from worker.context import JobContext
from worker.tasks.textgen import evaluation, generation, overlap
from worker.tasks.textgen.artifacts import read_network, read_words, save_corpus
from worker.tasks.textgen.baselines import baselines, training_baselines
from worker.tasks.textgen.network import build
from worker.tasks.textgen.repetition import repetition_of
from worker.tasks.textgen.sampling import Writer
from worker.tasks.textgen.scoring import Scorer
from worker.tasks.textgen.seen_text import seen_characters
from worker.tasks.textgen.spec import Generate, Train
from worker.tasks.textgen.text import Corpus, Text, corpus_of, open_text
from worker.tasks.textgen.training import TextTraining, fit_shape, memory_needed, warn_of_divergence
from worker.training.best_epoch import train_best
from worker.training.compile_cache import cached
from worker.training.memory import check_memory
from worker.training.saved_weights import load_weights


def train(context: JobContext) -> dict[str, float]:
    """Train from scratch on the first nine tenths of a text, and keep the weights of the best epoch.

    Raises:
        InvalidData: the text cannot be used.
        InvalidJob: the job would need more memory than is sensible.
        MissingPart: the dataset is made from a part of Python that is not installed.
        Cancelled: a stop was requested; the checkpoint is kept.
        JobFailed: training diverged.
        DamagedFolder: the checkpoint cannot be read, or belongs to another training job.
    """
    parameters = context.spec.parameters
    assert isinstance(parameters, Train)
    corpus = _open_corpus(context)
    streams, window = fit_shape(context, parameters, len(corpus.training))
    needed = memory_needed(len(corpus.vocabulary), parameters.layers, parameters.units, streams * window)
    check_memory("batch_size, window, layers and units", needed)
    # Written before training, so that a cancelled job has them too.
    save_corpus(context.folder, corpus)
    trainable = _trainable(context, parameters, corpus, streams, window)
    context.report_model(trainable.model)
    trained = train_best(context, trainable, parameters.epochs)
    context.progress(force=True, stage="counting n-grams")
    without = training_baselines(corpus, context.check_stop)
    warn_of_divergence(context, trained, without["baseline_validation_nats"])
    return without | {
        "validation_nats": trained.best["validation_loss"],
        "training_nats": trained.best["loss"],
        "best_epoch": trained.best["epoch"],
        "characters_per_second": trained.per_second(trainable.steps * streams * window),
    }


def evaluate(context: JobContext) -> dict[str, float]:
    """Measure a model on the last tenth of a text, against n-grams of what lies before.

    Characters that the model has never seen are left out of the text, for the n-grams as well.

    Raises:
        InvalidData: the text cannot be used, the model knows hardly any of its characters, or the training
            job's folder has no vocabulary.
        DamagedFolder: the training job's folder cannot be read.
        MissingPart: the dataset is made from a part of Python that is not installed.
        Cancelled: a stop was requested.
    """
    vocabulary, shape = read_network(context.source)
    scorer = cached((Scorer, *shape), 0, lambda: Scorer(build(*shape)))
    load_weights(scorer.model, context.source.path / MODEL)
    text = _open_text(context)
    same = context.trained_on(text.sha256)
    codes, first = evaluation.held_out(context, text, vocabulary, same_text=same)
    context.progress(force=True, stage="measuring")
    scores = scorer.score(codes, first, context.check_stop)
    context.progress(force=True, stage="counting n-grams")
    without = baselines(codes[:first], codes[first:], len(vocabulary), context.check_stop)
    evaluation.save_breakdowns(context, vocabulary, codes, first, scores.nats, without.ngrams)
    seen = seen_characters(context.source, vocabulary, codes[first:], context.check_stop)
    return {
        **evaluation.metrics(context, scores, without),
        **overlap.gain_over_ngrams(scores.nats, without.ngrams, seen),
        **overlap.seen_metrics(context, scores.nats, seen, same_text=same),
        "calibration_error": evaluation.save_calibration(context, scores),
        "characters": len(codes) - first,
    }


def generate(context: JobContext) -> dict[str, float]:
    """Write texts after a prompt at each temperature, and measure what their words do.

    Raises:
        InvalidJob: the prompt has characters that the model has never seen.
        InvalidData: the training job's folder has no vocabulary.
        DamagedFolder: the training job's folder cannot be read.
        Cancelled: a stop was requested.
    """
    parameters = context.spec.parameters
    assert isinstance(parameters, Generate)
    vocabulary, shape = read_network(context.source)
    prompt = generation.known_prompt(context, parameters, vocabulary)
    known = read_words(context.source)
    context.progress(force=True, stage="compiling")
    limits = (parameters.samples, parameters.top_k, parameters.top_p)
    writer = cached((Writer, *shape, *limits), 0, lambda: Writer(build(*shape), *limits))
    load_weights(writer.model, context.source.path / MODEL)
    writer.compile()
    written = list(generation.write_samples(context, parameters, writer, prompt, vocabulary))
    generation.save_samples(context, vocabulary.decode(prompt), written)
    characters = parameters.length * sum(len(some.texts) for some in written)
    return generation.save_word_use(context, written, known) | {
        "written_characters": characters,
        "characters_per_second": characters / sum(some.seconds for some in written),
    }


def _open_text(context: JobContext) -> Text:
    context.progress(force=True, stage="reading the text")
    text = open_text(
        type(context.spec.parameters), context.data_to_read(), context.settings, context.check_stop
    )
    for note in text.notes:
        context.note(note)
    context.data[text.name] = text.record
    return text


def _open_corpus(context: JobContext) -> Corpus:
    """The corpus to train on; the text, which holds codes of its own, is freed on return."""
    text = _open_text(context)
    repetition = repetition_of(text.codes)
    if repetition is not None:
        context.warn(repetition.warning(shown_path(Path(text.name).name)))
    corpus = corpus_of(text)
    context.data[text.name] |= {
        "training_characters": len(corpus.training),
        "validation_characters": len(corpus.validation),
        "vocabulary": len(corpus.vocabulary),
    }
    return corpus


def _trainable(
    context: JobContext, parameters: Train, corpus: Corpus, streams: int, window: int
) -> TextTraining:
    """A new training run, or that of an earlier job of the same shape and text, set back."""
    seed = context.spec.seed
    model = build(len(corpus.vocabulary), parameters.layers, parameters.units, seed)
    return cached(
        (TextTraining, corpus.sha256, *parameters.model_dump(exclude={"epochs", "learning_rate"}).values()),
        corpus.training.nbytes + corpus.validation.nbytes,
        lambda: TextTraining(
            model,
            corpus.training,
            corpus.validation,
            streams=streams,
            window=window,
            learning_rate=parameters.learning_rate,
            seed=seed,
        ),
        lambda trainable: trainable.restart(model.get_weights(), seed, parameters.learning_rate),
    )
