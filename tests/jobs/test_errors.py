"""Every error has one form: `field: expected …, got …` about input, one sentence otherwise, and perhaps a hint."""

import ast
import copy
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import errors
from jobs.errors import InvalidInput, InvalidJob, QuartetError

ROOT = Path(__file__).parents[2]


def subclasses(kind: type[QuartetError]) -> Iterator[type[QuartetError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from subclasses(each)


ABOUT_INPUT = list(subclasses(InvalidInput))
OTHERS = [kind for kind in subclasses(QuartetError) if kind not in ABOUT_INPUT]


def names(kinds: list[type[QuartetError]]) -> list[str]:
    return sorted(kind.__name__ for kind in kinds)


def test_all_errors_are_in_one_module() -> None:
    found = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and value.__module__ == errors.__name__
    ]
    assert names([*ABOUT_INPUT, *OTHERS]) == names(found)


@pytest.mark.parametrize("kind", ABOUT_INPUT)
def test_an_error_about_input_says_the_field_what_was_expected_and_what_was_given(
    kind: type[InvalidInput],
) -> None:
    error = kind("epochs", expected="an integer ≥ 1", given="0", hint="one epoch is enough to try a job")
    assert str(error) == "epochs: expected an integer ≥ 1, got 0"
    assert (error.field, error.expected, error.given) == ("epochs", "an integer ≥ 1", "0")
    assert error.hint == "one epoch is enough to try a job"
    assert error.explanation == f"{error} (hint: one epoch is enough to try a job)"
    plain = kind("epochs", expected="an integer ≥ 1", given="0")
    assert (plain.hint, plain.explanation) == (None, str(plain))


@pytest.mark.parametrize("kind", ABOUT_INPUT)
@pytest.mark.parametrize(
    ("given", "choices", "also", "expected", "hint"),
    [
        ("trian", ["train", "evaluate"], "", "one of train, evaluate", "did you mean 'train'?"),
        ("TRAIN", ["train", "evaluate"], "", "one of train, evaluate", "did you mean 'train'?"),
        ("red", ["train", "evaluate"], "", "one of train, evaluate", None),
        ("trian", ["train"], "", "train", "did you mean 'train'?"),
        ("red", ["train"], ", or a path", "train, or a path", None),
        ("red", [], ", or a path", "a path", None),
        ("red", [], "", "nothing", None),
        ("x" * 500, ["train"], "", "train", None),
        (["train"], ["train", "evaluate"], "", "one of train, evaluate", "did you mean 'train'?"),
    ],
)
def test_an_unknown_name_gets_all_names_and_the_one_that_is_spelled_alike(
    kind: type[InvalidInput],
    given: object,
    choices: list[str],
    also: str,
    expected: str,
    hint: str | None,
) -> None:
    error = kind.unknown("action", given, iter(choices), also)
    assert type(error) is kind
    assert (error.field, error.expected, error.hint) == ("action", expected, hint)
    assert str(error) == f"action: expected {expected}, got {error.given}"
    assert len(error.given) <= 60


@pytest.mark.parametrize("kind", OTHERS)
def test_any_other_error_is_one_sentence_with_perhaps_a_hint(kind: type[QuartetError]) -> None:
    error = kind("Redis cannot be reached", hint="`quartet up` starts one")
    assert str(error) == "Redis cannot be reached"
    assert (error.field, error.expected, error.given) == ("", "", "")
    assert error.hint == "`quartet up` starts one"
    assert error.explanation == "Redis cannot be reached (hint: `quartet up` starts one)"
    assert kind("Redis cannot be reached").hint is None


@pytest.mark.parametrize("kind", [*ABOUT_INPUT, *OTHERS])
def test_an_error_survives_a_copy_and_the_way_to_another_process(kind: type[QuartetError]) -> None:
    if issubclass(kind, InvalidInput):
        error: QuartetError = kind("epochs", expected="an integer ≥ 1", given="0", hint="try 1")
    else:
        error = kind("the job was cancelled", hint="try again")
    error.add_note("a note")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert (str(again), again.args) == (str(error), error.args)
        assert vars(again) == vars(error)
        assert again.explanation == error.explanation


def drawn_exit_codes() -> dict[str, int]:
    """Class -> exit code, as the tree in the module's docstring has it; a branch holds for its leaves."""
    assert errors.__doc__ is not None
    codes, branch = {}, 0
    for indent, name, about in re.findall(r"^(│?)[ ]*[├└]── (\w+) +(.*)$", errors.__doc__, re.MULTILINE):
        code = re.match(r"exit code (\d)", about)
        if not indent:
            branch = int(code[1]) if code else 1
        codes[name] = int(code[1]) if code else branch
    return codes


def test_exit_codes_are_those_of_the_tree_in_the_docstring() -> None:
    defined = {kind.__name__: kind.exit_code for kind in [*ABOUT_INPUT, *OTHERS] if kind is not QuartetError}
    assert drawn_exit_codes() == defined


NAMES = [kind.__name__ for kind in [*ABOUT_INPUT, *OTHERS]]
PROPER_NAMES = {"Redis", "Quartet", "Keras", "TensorFlow", "Celery", "Python", "Docker", "CONTRIBUTING.md"}
OLD_WORDING = [
    *("allowed:", "is not allowed", "(?<!there )is no (?!longer)", "asked to", "is told", "is asked"),
    *("lost its worker", "goes on", "on the processor", "a training(?= of|;|$)", "whole number"),
]


def texts(node: ast.AST) -> list[str]:
    """The literal texts of a sentence, in order; what is filled in stands as `{}`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)]
    if isinstance(node, ast.IfExp):
        return [*texts(node.body), *texts(node.orelse)]
    if isinstance(node, ast.BinOp):
        return [
            f"{left}{right}" for left in texts(node.left) or ["{}"] for right in texts(node.right) or ["{}"]
        ]
    return []


def raise_sites() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted([*ROOT.glob("jobs/**/*.py"), *ROOT.glob("worker/**/*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                if isinstance(called, ast.Attribute) and called.attr == "unknown":
                    called = called.value
                if isinstance(called, ast.Name) and called.id in NAMES:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


SITES = list(raise_sites())


def test_every_kind_of_error_is_made_somewhere() -> None:
    assert len(SITES) > 60


def problems(text: str, begins: bool) -> Iterator[str]:
    """What is wrong with a sentence of an error; `begins`: whether it stands after `expected`, `got` or `hint:`."""
    if text.rstrip().endswith(".") and not text.endswith("…"):
        yield "ends with a full stop"
    for old in OLD_WORDING:
        if re.search(rf"\b{old}", text):
            yield f"has the old wording {old!r}"
    first = (text.split() or [""])[0].strip("`'\",;:").removesuffix("'s").rstrip("'")
    if begins and re.match("[A-Z][a-z]", first) and first not in PROPER_NAMES:
        yield f"begins with a capital letter ({first!r})"


def test_no_sentence_of_an_error_has_a_full_stop_or_the_old_wording() -> None:
    wrong = []
    for place, call in SITES:
        parts = [(text, False) for argument in call.args for text in texts(argument)]
        parts += [(text, True) for keyword in call.keywords for text in texts(keyword.value)]
        wrong += [f"{place}: {text!r} {found}" for text, begins in parts for found in problems(text, begins)]
    assert wrong == []


def test_every_error_about_input_names_what_was_expected_and_what_was_given() -> None:
    wrong = []
    for place, call in SITES:
        if isinstance(call.func, ast.Name) and issubclass(getattr(errors, call.func.id), InvalidInput):
            keywords = {keyword.arg for keyword in call.keywords}
            if len(call.args) != 1 or not {"expected", "given"} <= keywords:
                wrong.append(place)
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "begins", "wrong"),
    [
        ("Redis cannot be reached.", True, 1),
        ("Redis cannot be reached", True, 0),
        ("Redis' password", True, 0),
        ("An integer", True, 1),
        ("NUL", True, 0),
        ("`Train`", True, 1),
        ("Sampling failed", False, 0),
        ("'0' is not allowed; allowed: a whole number", False, 3),
        ("there is no job", False, 0),
        ("x is no job", False, 1),
        ("one of a, b, …", True, 0),
    ],
)
def test_the_rule_finds_what_it_should(text: str, begins: bool, wrong: int) -> None:
    assert len(list(problems(text, begins))) == wrong


def test_the_hint_is_not_part_of_the_sentence() -> None:
    error = InvalidJob("x", expected="a", given="b", hint="c")
    assert "c" not in str(error).split("got", 1)[1]
