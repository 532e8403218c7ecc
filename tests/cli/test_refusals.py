"""Wrong input is refused in one sentence, with a hint where there is a remedy, and queues nothing."""

import pytest

from jobs.client import Client
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings, read_settings
from tests.cli.program import TRAIN, quartet_here
from tests.support.ended_jobs import end

MODELS = "one of autoencoder, denoiser, sentiment, textgen"
COMMANDS = (
    "one of archive, cancel, compare, data, delete, doctor, export, exporter, fetch, gpus, list, logs, note, prune, rebuild, "
    "report, rerun, restore, resume, retry, run, schema, settings, show, submit, sweep, sweeps, tag, tensorboard, up, verify, "
    "watch, worker"
)
OPTIONS = (
    "one of --epochs, --learning-rate, --batch-size, --on-bad-row, --data, --seed, --time-limit, --priority, --name, "
    "--tag, --fresh, --in-place, --yes, --watch, --json, --help"
)
REFERENCE = "a job's id, 4 or more characters of it, its name, or `latest`"
IMAGES = "mnist, digits, fashion-mnist, kmnist, an .npz file, an IDX file or a folder of image or IDX files"
HELP = "`quartet submit autoencoder train --help` lists the options"
LIST = "`quartet list` shows all jobs"
NOBODY = "20990101-000000-000-aaaa"

Row = tuple[tuple[str, ...], str, str | None]

NAMES: list[Row] = [
    (("submitt",), f"command: expected {COMMANDS}, got 'submitt'", "did you mean 'submit'?"),
    (
        ("submit", "autoencodr", "train"),
        f"model: expected {MODELS}, got 'autoencodr'",
        "did you mean 'autoencoder'?",
    ),
    (
        ("submit", "vae", "train"),
        f"model: expected {MODELS}, got 'vae'",
        "`quartet submit --help` describes them",
    ),
    (
        ("submit", "autoencoder", "trian"),
        "action: expected one of train, evaluate, generate, got 'trian'",
        "did you mean 'train'?",
    ),
    (
        ("data", "get", "mnits"),
        "dataset: expected one of mnist, digits, fashion-mnist, kmnist, imdb, toy-reviews, shakespeare, pydoc, got 'mnits'",
        "did you mean 'mnist'?",
    ),
    (
        ("list", "--state", "done"),
        "state: expected one of waiting, queued, running, succeeded, failed, cancelled, got 'done'",
        None,
    ),
]

USAGE: list[Row] = [
    (
        ("submit", *TRAIN, "--epoch", "2"),
        f"option of submit autoencoder train: expected {OPTIONS}, got '--epoch'",
        "did you mean '--epochs'?",
    ),
    (
        ("submit", *TRAIN, "--noise", "2"),
        f"option of submit autoencoder train: expected {OPTIONS}, got '--noise'",
        "`denoiser train` has --noise",
    ),
    (
        ("submit", *TRAIN, "--lr", "0.1"),
        f"option of submit autoencoder train: expected {OPTIONS}, got '--lr'",
        "did you mean '--learning-rate'?",
    ),
    (("delete",), f"job: expected {REFERENCE}, got none", "usage: quartet delete [OPTIONS] JOB..."),
    (
        ("submit", "autoencoder", "train", "--from", "latest"),
        f"option of submit autoencoder train: expected {OPTIONS}, got '--from'",
        "`quartet resume` trains a model further",
    ),
    (
        ("rerun", "latest", "--batch-size", "3"),
        "option of rerun: expected one of --set, --fresh, --json, --help, got '--batch-size'",
        "`--set batch_size=VALUE` changes it",
    ),
    (
        ("submit", "--watch", *TRAIN),
        "option of submit: expected one of --file, --fresh, --in-place, --yes, --json, --help, got '--watch'",
        "`quartet submit --help` lists the options",
    ),
    (
        ("--quiet",),
        "option of quartet: expected one of --version, --help, got '--quiet'",
        "`quartet --help` lists the options",
    ),
    (("submit", *TRAIN, "--seed"), "--seed: expected a value, got none", HELP),
    (("submit", *TRAIN, "--json=3"), "--json: expected no value, got one", HELP),
    (("submit", *TRAIN, "--epochs", "3"), "--epochs: expected one value, got 2", None),
    (("submit", *TRAIN, "--seed=1", "--seed=2", "--seed=3"), "--seed: expected one value, got 3", None),
    (("list", "--state", "failed", "--state", "queued"), "--state: expected one value, got 2", None),
    (("retry",), f"job: expected {REFERENCE}, got none", "`quartet retry --failed` retries all"),
    (
        ("submit", *TRAIN, "extra"),
        "arguments: expected none, got 'extra'",
        "usage: quartet submit autoencoder train [OPTIONS]",
    ),
    (
        ("show", "latest", "first one"),
        "arguments: expected nothing after JOB, got 'first one'",
        "usage: quartet show [OPTIONS] JOB",
    ),
    (("report",), f"job: expected {REFERENCE}, got none", "usage: quartet report [OPTIONS] JOB"),
    (
        ("data", "get"),
        "dataset: expected a dataset's name, got none",
        "usage: quartet data get [OPTIONS] DATASET",
    ),
    (
        ("data", "show"),
        "name: expected the name of a dataset or of stored data, got none",
        "usage: quartet data show [OPTIONS] NAME",
    ),
    (("up", "--workers", "0"), "workers: expected an integer from 1 to 64, got 0", None),
    (("up", "--workers", "two"), "workers: expected an integer from 1 to 64, got 'two'", None),
    (("up", "--workers", "9" * 5_000), f"workers: expected an integer from 1 to 64, got {'9' * 57}…9", None),
]

VALUES: list[Row] = [
    (("submit", "autoencoder", "train", "--epochs", "0"), "epochs: expected an integer ≥ 1, got 0", None),
    (("run", "autoencoder", "train", "--epochs", "0"), "epochs: expected an integer ≥ 1, got 0", None),
    (("submit", "autoencoder", "train", "--epochs", "-3"), "epochs: expected an integer ≥ 1, got -3", None),
    (("submit", "autoencoder", "train", "--epochs", "two"), "epochs: expected an integer, got 'two'", None),
    (("submit", *TRAIN, "--seed", "-1"), "seed: expected an integer ≥ 0, got -1", None),
    (
        ("submit", *TRAIN, "--name", "latest"),
        "name: expected a name that is neither `latest` nor like a job id, got 'latest'",
        None,
    ),
    (("submit", *TRAIN, "--learning-rate", "nan"), "learning_rate: expected a finite number, got nan", None),
    (
        ("submit", *TRAIN, "--priority", "hihg"),
        "priority: expected one of low, normal, high, got 'hihg'",
        "did you mean 'high'?",
    ),
    (
        ("submit", "autoencoder", "train", "--data", "mnits"),
        "data: expected one of mnist, digits, fashion-mnist, kmnist, or the path of an .npz file, an IDX file or a folder of image or IDX files, got 'mnits'",
        "did you mean 'mnist'?",
    ),
    (
        ("submit", "autoencoder", "train", "--data", "imdb"),
        f"data: expected {IMAGES}, got 'imdb', which holds reviews",
        None,
    ),
    (
        ("submit", "autoencoder", "train", "--data", "/no/such.npz"),
        f"data: expected {IMAGES}, got /no/such.npz, which does not exist",
        None,
    ),
    (
        ("submit", "autoencoder", "train", "--data", "/etc/passwd"),
        f"data: expected {IMAGES}, got /etc/passwd, a file without a suffix",
        None,
    ),
]

JOBS: list[Row] = [
    (
        ("submit", "sentiment", "generate", "--from", "latest"),
        "from: expected a sentiment train job (its id, its name or `latest`), got `latest`, but there is none yet",
        "`quartet submit sentiment train` makes one",
    ),
    (
        ("submit", "autoencoder", "evaluate"),
        "from: expected an autoencoder train job (its id, its name or `latest`), got none",
        "`quartet submit autoencoder train` makes one",
    ),
    (
        ("submit", "denoiser", "evaluate", "--from", "nobody"),
        f"from: expected {REFERENCE}, got 'nobody'",
        LIST,
    ),
    (
        ("submit", "denoiser", "evaluate", "--from", "../x"),
        f"from: expected {REFERENCE}, got '../x'",
        LIST,
    ),
    (
        ("submit", "denoiser", "evaluate", "--from", "first one"),
        "from: expected a denoiser train job, got job TRAINED, an autoencoder train job",
        None,
    ),
    (("show", NOBODY), f"job: expected {REFERENCE}, got '{NOBODY}'", LIST),
    (
        ("show", "../../etc/passwd"),
        f"job: expected {REFERENCE}, got '../../etc/passwd'",
        LIST,
    ),
    (("retry", "--failed", NOBODY), f"job: expected {REFERENCE}, got '{NOBODY}'", LIST),
    (
        (
            "submit",
            "sentiment",
            "generate",
            "--from",
            "first one",
            "--text",
            "x" * 60_000,
            "--text",
            "x" * 9_000,
        ),
        "from: expected a sentiment train job, got job TRAINED, an autoencoder train job",
        None,
    ),
    (("cancel", NOBODY), f"job: expected {REFERENCE}, got '{NOBODY}'", LIST),
]

ROWS = [*NAMES, *USAGE, *VALUES, *JOBS]


@pytest.fixture(scope="module")
def settings(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One Redis and one results folder for all of these tests: what is refused changes neither."""
    Ledger(redis_url).redis.flushall()
    folder = tmp_path_factory.mktemp("refusals")
    return read_settings(
        redis_url=redis_url,
        results_dir=folder / "results",
        data_dir=folder / "data",
        state_dir=folder / "state",
    )


@pytest.fixture(scope="module")
def trained(settings: Settings) -> str:
    """The id of a finished training job with a name."""
    client = Client(settings)
    job = client.submit("autoencoder", "train", data="digits", epochs=2, name="first one")
    end(client, job)
    return job.id


@pytest.mark.parametrize(("arguments", "sentence", "hint"), ROWS, ids=[" ".join(row[0])[:60] for row in ROWS])
def test_wrong_input_is_one_sentence_and_queues_nothing(
    settings: Settings, trained: str, arguments: tuple[str, ...], sentence: str, hint: str | None
) -> None:
    client = Client(settings)
    before = client.ledger.ids()
    done = quartet_here(settings, *arguments, code=2)
    expected = [f"quartet: {sentence.replace('TRAINED', trained)}", *([f"hint: {hint}"] if hint else [])]
    assert done.stderr.splitlines() == expected
    assert done.stdout == ""
    assert client.ledger.ids() == before


@pytest.mark.parametrize("arguments", [(), ("submit",), ("run", "denoiser")])
def test_a_command_without_its_subcommand_prints_its_help_as_an_error(
    settings: Settings, arguments: tuple[str, ...]
) -> None:
    done = quartet_here(settings, *arguments, code=2)
    assert done.stderr.startswith(f"Usage: {' '.join(('quartet', *arguments))} [OPTIONS]")
    assert done.stdout == ""


def test_more_than_64_kb_of_parameters_is_refused(settings: Settings, trained: str) -> None:
    assert trained
    client = Client(settings)
    source = client.submit("sentiment", "train", data="toy-reviews", epochs=1, priority="low").id
    before = client.ledger.ids()
    texts = [part for _ in range(10) for part in ("--text", "x" * 9_000)]
    said = quartet_here(settings, "submit", "sentiment", "generate", "--from", source, *texts, code=2).stderr
    assert said.splitlines() == [
        "quartet: parameters: expected at most 64 kB in all, got 88 kB",
        "hint: put larger inputs into a file and give it as --data",
    ]
    assert client.ledger.ids() == before
    client.cancel(source)


def test_a_wrong_setting_is_one_sentence_with_what_the_setting_is(settings: Settings) -> None:
    said = quartet_here(settings, "list", code=2, QUARTET_LEASE_SECONDS="soon").stderr
    sentence, hint = said.splitlines()
    assert sentence.startswith("quartet: QUARTET_LEASE_SECONDS: expected a number")
    assert sentence.endswith(", got 'soon'")
    assert hint.startswith("hint: ")


def test_neither_sentence_nor_hint_moves_the_terminal(settings: Settings) -> None:
    done = quartet_here(settings, "submit", "autoencoder", "train", "\x1b[2J\r", code=2)
    assert done.stderr.splitlines()[0] == r"quartet: arguments: expected none, got '\x1b[2J\r'"
    done = quartet_here(settings, "submit", "autoencoder", "train", "--\x1b[2J\u202e", code=2)
    assert not {"\x1b", "\u202e"} & set(done.stderr)
