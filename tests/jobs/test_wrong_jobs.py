"""Every wrong field of a job gets one sentence: the field, what was expected, what was given, and a hint."""

import pytest

from jobs.errors import InvalidJob
from jobs.models import model_names
from jobs.spec import JobSpec

ID = "20261123-221530-042-k7qd"
TRAIN = {"model": "denoiser", "action": "train"}
EVALUATE = {"model": "denoiser", "action": "evaluate"}
GENERATE_TEXT = {"model": "textgen", "action": "generate", "from": ID}
OBJECT = "an object with model, action and parameters"
MODELS = f"one of {', '.join(model_names())}"
ACTIONS = "one of train, evaluate, generate"
REFERENCE = "a job id like 20261123-221530-042-k7qd"
PRINTABLE = "printable characters with no space around them"
FREE_NAME = "a name that is neither `latest` nor like a job id"
TRAINING = "a denoiser train job (its id, its name or `latest`)"

# What was given -> the error's field, expected and given.
WRONG = [
    (None, "job", OBJECT, "None"),
    ([], "job", OBJECT, "[]"),
    ("train", "job", OBJECT, "'train'"),
    ({}, "model", "text", "none"),
    ({"model": "denoiser"}, "action", "train, evaluate, generate", "none"),
    ({"model": 3, "action": "train"}, "model", "text", "3"),
    ({"model": ["denoiser"], "action": "train"}, "model", "text", "['denoiser']"),
    ({"model": True, "action": "train"}, "model", "text", "True"),
    ({**TRAIN, "action": "delete"}, "action", ACTIONS, "'delete'"),
    ({**TRAIN, "action": None}, "action", ACTIONS, "None"),
    (
        {**TRAIN, "colour": "red"},
        "field of a job",
        "one of model, action, parameters, data, from, seed, time_limit, priority, name, tags",
        "'colour'",
    ),
    ({**TRAIN, "priority": "urgent"}, "priority", "one of low, normal, high", "'urgent'"),
    ({**TRAIN, "parameters": [1]}, "parameters", "an object", "[1]"),
    ({**TRAIN, "parameters": None}, "parameters", "an object", "None"),
    ({**TRAIN, "parameters": "x"}, "parameters", "an object", "'x'"),
    ({**TRAIN, "parameters": True}, "parameters", "an object", "True"),
    ({**TRAIN, "parameters": {"epochs": 0}}, "epochs", "an integer ≥ 1", "0"),
    ({**TRAIN, "parameters": {"epochs": "0"}}, "epochs", "an integer ≥ 1", "0"),
    ({**TRAIN, "parameters": {"epochs": -5}}, "epochs", "an integer ≥ 1", "-5"),
    ({**TRAIN, "parameters": {"epochs": 1.5}}, "epochs", "an integer", "1.5"),
    ({**TRAIN, "parameters": {"epochs": 10**30}}, "epochs", "an integer ≤ 1,000,000", "1" + "0" * 30),
    ({**TRAIN, "parameters": {"epochs": "many"}}, "epochs", "an integer", "'many'"),
    ({**TRAIN, "parameters": {"epochs": None}}, "epochs", "an integer", "None"),
    ({**TRAIN, "parameters": {"epochs": True}}, "epochs", "an integer", "True"),
    ({**TRAIN, "parameters": {"batch_size": 0}}, "batch_size", "an integer ≥ 1", "0"),
    ({**TRAIN, "parameters": {"learning_rate": 0}}, "learning_rate", "a number > 0", "0"),
    ({**TRAIN, "parameters": {"learning_rate": 2}}, "learning_rate", "a number ≤ 1", "2"),
    ({**TRAIN, "parameters": {"learning_rate": "nan"}}, "learning_rate", "a finite number", "nan"),
    ({**TRAIN, "parameters": {"learning_rate": float("nan")}}, "learning_rate", "a finite number", "nan"),
    ({**TRAIN, "parameters": {"learning_rate": float("inf")}}, "learning_rate", "a finite number", "inf"),
    ({**TRAIN, "parameters": {"noise": -0.1}}, "noise", "a number ≥ 0", "-0.1"),
    ({**TRAIN, "parameters": {"noise": "0.5x"}}, "noise", "a number", "'0.5x'"),
    ({**TRAIN, "parameters": {"noise": False}}, "noise", "a number", "False"),
    ({**TRAIN, "seed": -1}, "seed", "an integer ≥ 0", "-1"),
    ({**TRAIN, "seed": 2**32}, "seed", "an integer ≤ 4,294,967,295", "4294967296"),
    ({**TRAIN, "seed": "x"}, "seed", "an integer", "'x'"),
    ({**TRAIN, "seed": True}, "seed", "an integer", "True"),
    ({**TRAIN, "time_limit": 0}, "time_limit", "an integer ≥ 1", "0"),
    ({**TRAIN, "name": ""}, "name", "at least 1 character", "''"),
    ({**TRAIN, "name": "n" * 81}, "name", "at most 80 characters", f"'{'n' * 56}…'"),
    ({**TRAIN, "name": 3}, "name", "text", "3"),
    ({**TRAIN, "name": "a\nb"}, "name", PRINTABLE, r"'a\nb'"),
    ({**TRAIN, "name": "\x1b[31mred"}, "name", PRINTABLE, r"'\x1b[31mred'"),
    ({**TRAIN, "name": " x"}, "name", PRINTABLE, "' x'"),
    ({**TRAIN, "name": "latest"}, "name", FREE_NAME, "'latest'"),
    ({**TRAIN, "name": ID}, "name", FREE_NAME, f"'{ID}'"),
    ({**TRAIN, "data": 3}, "data", "text", "3"),
    ({**TRAIN, "data": ""}, "data", "at least 1 character", "''"),
    ({**TRAIN, "data": "x" * 4097}, "data", "at most 4,096 characters", f"'{'x' * 56}…'"),
    ({**EVALUATE, "from": "../../etc"}, "from", REFERENCE, "'../../etc'"),
    ({**EVALUATE, "from": ID, "parameters": {"baseline": "/etc"}}, "baseline", REFERENCE, "'/etc'"),
    (
        {"model": "autoencoder", "action": "generate", "from": ID, "parameters": {"first_digit": 10}},
        "first_digit",
        "an integer ≤ 9",
        "10",
    ),
    ({**GENERATE_TEXT, "parameters": {"temperature": []}}, "temperature", "at least 1 value", "[]"),
    ({**GENERATE_TEXT, "parameters": {"temperature": [1, -1]}}, "temperature", "a number ≥ 0", "-1"),
    (
        {**GENERATE_TEXT, "parameters": {"temperature": [1] * 21}},
        "temperature",
        "at most 20 values",
        f"[{'1, ' * 18}1,…]",
    ),
    ({**GENERATE_TEXT, "parameters": {"prompt": ""}}, "prompt", "at least 1 character", "''"),
    (
        {**GENERATE_TEXT, "parameters": {"on_unknown": "ignore"}},
        "on_unknown",
        "one of error, drop",
        "'ignore'",
    ),
    (
        {"model": "sentiment", "action": "evaluate", "from": ID, "parameters": {"target_recall": 1}},
        "target_recall",
        "a number < 1",
        "1",
    ),
]


def refused(value: object) -> InvalidJob:
    """The error of a wrong job, which has the form of all errors about input."""
    with pytest.raises(InvalidJob) as caught:
        JobSpec.parse(value)
    error = caught.value
    assert str(error) == f"{error.field}: expected {error.expected}, got {error.given}"
    assert "\n" not in str(error)
    assert len(str(error)) < 400
    return error


@pytest.mark.parametrize(("value", "field", "expected", "given"), WRONG)
def test_a_wrong_job_gets_one_sentence(value: object, field: str, expected: str, given: str) -> None:
    error = refused(value)
    assert (error.field, error.expected, error.given, error.hint) == (field, expected, given, None)


@pytest.mark.parametrize(
    ("value", "field", "expected", "given", "hint"),
    [
        ({**TRAIN, "model": "denoisr"}, "model", MODELS, "'denoisr'", "did you mean 'denoiser'?"),
        ({**TRAIN, "action": "trian"}, "action", ACTIONS, "'trian'", "did you mean 'train'?"),
        (
            {**TRAIN, "parameters": {"epoch": 1}},
            "parameter of denoiser train",
            "one of epochs, learning_rate, batch_size, on_bad_row, noise",
            "'epoch'",
            "did you mean 'epochs'?",
        ),
        (
            {**TRAIN, "from": ID},
            "from",
            "nothing, since denoiser train starts from scratch",
            f"'{ID}'",
            "leave out --from; `quartet resume` trains a model further",
        ),
        (EVALUATE, "from", TRAINING, "none", "`quartet submit denoiser train` makes one"),
    ],
)
def test_a_wrong_job_with_an_obvious_remedy_gets_a_hint(
    value: object, field: str, expected: str, given: str, hint: str
) -> None:
    error = refused(value)
    assert (error.field, error.expected, error.given, error.hint) == (field, expected, given, hint)


def test_a_model_whose_name_begins_with_a_vowel_gets_the_right_article() -> None:
    error = refused({"model": "autoencoder", "action": "generate"})
    assert error.expected == "an autoencoder train job (its id, its name or `latest`)"
