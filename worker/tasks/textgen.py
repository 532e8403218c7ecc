"""Text, character by character: train an LSTM, measure it on held-out text, write with it."""

import math
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidData, InvalidJob
from jobs.files import write_json, write_text
from jobs.folder import JobFolder
from jobs.spec import TextgenGenerate, TextgenTrain
from worker import text_evaluation
from worker.data.characters import Vocabulary, named
from worker.data.text import Text, open_text
from worker.data.word_list import common_words, word_use
from worker.kept import kept
from worker.models.sampling import Writer
from worker.models.scoring import Scorer
from worker.models.textgen import build
from worker.report import text_parts
from worker.report.parts import Metric, Parts
from worker.run import Run
from worker.text_training import TextTraining, fitting_shape, memory_needed
from worker.training import fit

METRICS = (
    Metric("nats_per_character", "Held-out nats per character", 3, better="lower"),
    Metric("validation_nats", "Validation nats per character", 3, better="lower"),
    Metric("known_words", "Share of written words known to the corpus", 3),
    Metric("bits_per_character", "Bits per character", 3, better="lower"),
    Metric("perplexity", "Perplexity per character", 2, better="lower"),
    Metric("accuracy", "Share of characters guessed right", 3, better="higher"),
    Metric("fivegram_nats", "Nats per character of a 5-gram", 3, better="lower"),
    Metric("unigram_nats", "Nats per character of a unigram", 3, better="lower"),
    Metric("calibration_error", "Expected calibration error", 4, better="lower"),
    Metric("training_nats", "Training nats per character", 3, better="lower"),
    Metric("best_epoch", "Best epoch", 0),
    Metric("different_words", "Share of words new in their text", 3),
    Metric("repeated_sequences", "Share of three-word sequences repeated", 3),
    Metric("characters", "Characters measured", 0),
    Metric("written_characters", "Characters written", 0),
    Metric("characters_per_second", "Characters per second", 0, better="higher"),
)

VOCABULARY = "vocabulary.json"
WORDS = "words.txt"
MOST_WORDS = 100_000
READ_FOR_WORDS = 5_000_000
"""Characters of the training text whose words are listed."""

READ_FOR_BASELINES = 3_000_000
"""Characters right before the held-out part that the n-grams count."""

MOST_MEASURED = 1_000_000
"""Characters of the held-out part; the mean of so many is sure to about 0.002 nats."""

FEWEST_MEASURED = 90
"""The held-out part of the shortest text that is taken has 100."""

MOST_NATS = 700
"""Beyond this the perplexity is no number that a file can hold; only a broken model gets there."""

MEMORY_LIMIT_GB = 16
"""For a step and the weights; who needs more than this has mistyped."""


def train(run: Run) -> dict[str, float]:
    """Train from scratch on the first nine tenths of a text; the epoch that validates best is kept.

    Raises:
        InvalidData: the text cannot be used.
        InvalidJob: the training would need more memory than is sensible.
        Cancelled: the run was asked to stop; its checkpoint is kept.
        JobFailed: the training diverged.
    """
    parameters = run.spec.parameters
    assert isinstance(parameters, TextgenTrain)
    text = _open(run, run.spec.data or parameters.default_data)
    vocabulary = text.vocabulary_before(text.held_out)
    if len(vocabulary) < 2:
        raise InvalidData(
            f"{text.name}: its first nine tenths have nothing but the character {vocabulary.characters!r}; "
            "allowed: a text with two or more"
        )
    training, validation = text.split(vocabulary)
    streams, window = fitting_shape(len(training), parameters.batch_size, parameters.window)
    if (streams, window) != (parameters.batch_size, parameters.window):
        run.note(
            f"The text is short: {streams} streams are read side by side, in windows of {window} characters."
        )
    needed = memory_needed(len(vocabulary), parameters.layers, parameters.units, streams * window) / 1e9
    if needed > MEMORY_LIMIT_GB:
        raise InvalidJob(
            f"batch_size, window, layers and units: together they need about {needed:,.0f} GB in each step; "
            f"allowed: {MEMORY_LIMIT_GB} GB"
        )
    run.data[text.name] |= {
        "training_characters": len(training),
        "validation_characters": len(validation),
        "vocabulary": len(vocabulary),
    }
    # Written before the training, so that a job that was cancelled has them too.
    vocabulary.write(run.folder / VOCABULARY)
    known = common_words(vocabulary.decode(training[:READ_FOR_WORDS]), MOST_WORDS)
    write_text(run.folder / WORDS, "".join(f"{word}\n" for word in known))
    sha256 = text.sha256
    del text

    model = build(len(vocabulary), parameters.layers, parameters.units, run.spec.seed)
    trainable, new = kept(
        (TextTraining, sha256, *parameters.model_dump(exclude={"epochs"}).values()),
        training.nbytes + validation.nbytes,
        lambda: TextTraining(
            model,
            training,
            validation,
            streams=streams,
            window=window,
            learning_rate=parameters.learning_rate,
            seed=run.spec.seed,
        ),
    )
    if not new:
        trainable.restart(model.get_weights(), run.spec.seed)
    model = trainable.model
    history = fit(run, trainable, parameters.epochs, model=model, keep_best="validation_loss")
    model.save(run.folder / "model.keras")
    best = min(history, key=lambda row: row["validation_loss"])
    characters = len(history) * trainable.steps * streams * window
    return {
        "validation_nats": best["validation_loss"],
        "training_nats": best["loss"],
        "best_epoch": best["epoch"],
        "characters_per_second": characters / sum(row["seconds"] for row in history),
    }


def evaluate(run: Run) -> dict[str, float]:
    """Measure a model on the last tenth of a text, beside n-grams that count what lies before.

    Characters that the model never saw are left out of the text, for the n-grams as well.

    Raises:
        InvalidData: the text cannot be used, or the model knows hardly a character of it.
        Cancelled: the run was asked to stop.
    """
    trained = run.source.job
    vocabulary, shape = _network(run.source)
    scorer, _ = kept((Scorer, *shape), 0, lambda: Scorer(build(*shape)))
    scorer.model.load_weights(run.source.path / "model.keras")
    text = _open(run, run.spec.data or trained["spec"]["data"] or run.spec.parameters.default_data)
    if text.sha256 not in {record["sha256"] for record in trained["data"].values()}:
        run.note(
            "This is another text than the model was trained on. Its last tenth is measured; the n-grams "
            "know the nine tenths before, and the model does not."
        )
    begin, end = max(0, text.held_out - READ_FOR_BASELINES), text.held_out + MOST_MEASURED
    before, _, _ = text.codes_in(vocabulary, begin, text.held_out)
    held_out, unknown, left_out = text.codes_in(vocabulary, text.held_out, end)
    if min(len(before), len(held_out)) < FEWEST_MEASURED:
        raise InvalidData(
            f"{text.name}: the model knows hardly any of its characters; allowed: a text like its own"
        )
    if unknown:
        run.note(
            f"{left_out:,} of {left_out + len(held_out):,} characters of the held-out part were left out, "
            f"since the model never saw them: {named(unknown)}."
        )
    if begin:
        run.note(f"The n-grams count the last {READ_FOR_BASELINES:,} characters before the held-out part.")
    if end < len(text.codes):
        run.note(f"Of the held-out part the first {MOST_MEASURED:,} characters are measured.")
    run.data[text.name] |= {"measured_characters": len(held_out), "unknown_characters": left_out}

    codes, first = np.concatenate([before, held_out]), len(before)
    run.progress(force=True, stage="measuring")
    scores = scorer.score(codes, first, run.check_stop)
    run.progress(force=True, stage="counting n-grams")
    unigram, fivegram = text_evaluation.baselines(codes, first, len(vocabulary), run.check_stop)

    line_end = vocabulary.characters.find("\n")
    places = text_evaluation.by_place(line_end, codes, first, scores.nats, fivegram)
    kinds = text_evaluation.by_kind(vocabulary, codes, first, scores.nats, fivegram)
    bins = text_evaluation.calibration(scores)
    run.write_table("place_in_line.csv", ("place", "characters", "nats", "fivegram_nats"), places)
    run.write_table("kinds.csv", ("kind", "characters", "nats", "fivegram_nats"), kinds)
    run.write_table("calibration.csv", ("from", "to", "characters", "confidence", "right"), bins)
    nats = float(scores.nats.mean(dtype=np.float64))
    return {
        "nats_per_character": nats,
        "bits_per_character": nats / math.log(2),
        "perplexity": math.exp(min(nats, MOST_NATS)),
        "accuracy": float(scores.right.mean()),
        "fivegram_nats": float(fivegram.mean()),
        "unigram_nats": float(unigram.mean()),
        "calibration_error": text_evaluation.expected_calibration_error(bins),
        "characters": len(held_out),
    }


def generate(run: Run) -> dict[str, float]:
    """Write texts after a prompt at each temperature, and count what their words do.

    Text number n at a temperature is a function of the model, the prompt, the limits, the seed, the
    temperature and n; which others are written does not matter.

    Raises:
        InvalidJob: the prompt has characters that the model never saw.
        Cancelled: the run was asked to stop.
    """
    parameters = run.spec.parameters
    assert isinstance(parameters, TextgenGenerate)
    vocabulary, shape = _network(run.source)
    prompt = _known_prompt(run, parameters, vocabulary)
    known = frozenset((run.source.path / WORDS).read_text(encoding="utf-8").split())
    temperatures = list(dict.fromkeys(parameters.temperature))
    if 0 in temperatures and parameters.samples > 1:
        run.note("Temperature 0 always writes the same text, so it was written once.")

    run.progress(force=True, stage="compiling")
    limits = (parameters.samples, parameters.top_k, parameters.top_p)
    writer, _ = kept((Writer, *shape, *limits), 0, lambda: Writer(build(*shape), *limits))
    writer.model.load_weights(run.source.path / "model.keras")
    writer.compile()
    samples, table, seconds = [], [], 0.0
    for temperature in temperatures:
        run.progress(force=True, stage=f"writing at temperature {temperature:g}")
        count = parameters.samples if temperature else 1
        generators = [_generator(run.spec.seed, temperature, number) for number in range(count)]
        began = time.perf_counter()
        codes = writer.write(prompt, parameters.length, temperature, generators, run.check_stop)
        seconds += time.perf_counter() - began
        texts = [vocabulary.decode(row) for row in codes]
        samples += [
            {"temperature": temperature, "number": number + 1, "text": text}
            for number, text in enumerate(texts)
        ]
        uses = np.array([word_use(text, known) for text in texts])
        table.append((temperature, count, *uses.mean(axis=0).tolist()))
    shown_prompt = vocabulary.decode(prompt)
    write_json(run.folder / "samples.json", {"prompt": shown_prompt, "samples": samples})
    write_text(run.folder / "samples.txt", "".join(_lines(shown_prompt, samples)))
    run.write_table(
        "temperatures.csv", ("temperature", "texts", "words", "different", "repeated", "known"), table
    )
    means = np.average([row[3:] for row in table], axis=0, weights=[row[1] for row in table])
    different, repeated, known_share = means.tolist()
    characters = len(samples) * parameters.length
    return {
        "known_words": known_share,
        "different_words": different,
        "repeated_sequences": repeated,
        "written_characters": characters,
        "characters_per_second": characters / seconds,
    }


def present(folder: JobFolder) -> Parts:
    """What the model's own part of a report shows."""
    match folder.job["spec"]["action"]:
        case "train":
            return text_parts.of_training(folder)
        case "evaluate":
            return text_parts.of_evaluation(folder)
        case _:
            return text_parts.of_writing(folder)


def _open(run: Run, data: str) -> Text:
    run.progress(force=True, stage="reading the text")
    text = open_text(data, run.settings, run.spec.action, run.check_stop)
    for note in text.notes:
        run.note(note)
    run.data[text.name] = text.record
    return text


def _network(folder: JobFolder) -> tuple[Vocabulary, tuple[int, int, int]]:
    """What a finished training knows, and what `build` needs: only weights are read from its folder."""
    vocabulary = Vocabulary.read(folder.path / VOCABULARY)
    parameters = folder.job["spec"]["parameters"]
    return vocabulary, (len(vocabulary), parameters["layers"], parameters["units"])


def _known_prompt(run: Run, parameters: TextgenGenerate, vocabulary: Vocabulary) -> NDArray[np.int32]:
    """The codes of the prompt, its line ends made those of the texts that models are trained on."""
    text = parameters.prompt.replace("\r\n", "\n").replace("\r", "\n")
    prompt, unknown = vocabulary.encode(text)
    if unknown and (parameters.on_unknown == "error" or not len(prompt)):
        raise InvalidJob(
            f"prompt: the model never saw {named(unknown)}; allowed: characters of its training text"
            + (", or --on-unknown drop" if len(prompt) else "")
        )
    if unknown:
        run.note(f"Dropped from the prompt, since the model never saw them: {named(unknown)}.")
    return prompt


def _generator(seed: int, temperature: float, number: int) -> np.random.Generator:
    """The random numbers of one text."""
    return np.random.default_rng([seed, *struct.unpack("<II", struct.pack("<d", temperature)), number])


def _lines(prompt: str, samples: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The texts as a file to read."""
    for sample in samples:
        yield f"=== temperature {sample['temperature']:g}, text {sample['number']} ===\n\n"
        yield f"{prompt}{sample['text']}\n\n"
