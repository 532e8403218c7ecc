"""The options of a job are made from its spec: every model's, with its choices, ranges and defaults."""

import inspect
import subprocess
import sys
from typing import Any

import click
import pytest
from click.shell_completion import ShellComplete

from jobs.cli.main import COMMANDS, quartet
from jobs.cli.options import model_commands, split_parameters
from jobs.data_check import expected_data
from jobs.models import all_parameters, model_names, parameters_of
from jobs.parameters import ACTIONS, Parameters
from jobs.settings import Settings
from jobs.showing.command_line import option
from jobs.specs.validation_messages import schema_of
from tests.cli.program import quartet_here

KINDS = list(all_parameters())
NAMES = [f"{kind.model} {kind.action}" for kind in KINDS]


def command(model: str, action: str, **given: Any) -> click.Command:
    group = model_commands(model, lambda *call: given.update(call=call), [])
    assert group is not None
    found = group.get_command(click.Context(group), action)
    assert found is not None
    return found


def options(model: str, action: str) -> dict[str, click.Option]:
    params = command(model, action).params
    return {param.opts[0]: param for param in params if isinstance(param, click.Option)}


def metavar(model: str, action: str, name: str) -> str | None:
    return options(model, action)[name].metavar


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_every_parameter_of_every_model_is_an_option_with_its_description(kind: type[Parameters]) -> None:
    found = options(kind.model, kind.action)
    for name, schema in schema_of(kind).items():
        assert str(found[option(name)].help).startswith(schema["description"])
    assert ("--from" in found) == (kind.source == "needed")
    assert ("--data" in found) == kind.takes_data()
    assert {"--seed", "--time-limit", "--priority", "--name"} <= set(found)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_an_action_has_the_help_of_its_class(kind: type[Parameters]) -> None:
    assert command(kind.model, kind.action).help == inspect.getdoc(kind)


@pytest.mark.parametrize(
    ("name", "shown", "text"),
    [
        ("--on-unknown", "[error|drop]", "[default error]"),
        ("--length", "N", "[an integer from 1 to 1,000,000 (characters); default 400]"),
        ("--top-p", "X", "[a number > 0 and ≤ 1; default 1.0]"),
        ("--temperature", "X", "[one or more of: a number from 0 to 10; default 0.2 0.5 1.0]"),
        ("--prompt", "TEXT", "[text of 1 to 10,000 characters]"),
        ("--priority", "[low|normal|high]", "[default normal]"),
        ("--time-limit", "N", "[an integer from 1 to 1,000,000,000 (seconds)]"),
        ("--from", "JOB", "the textgen training job whose model is used [id, name or `latest`]"),
    ],
)
def test_an_option_says_what_it_takes_and_its_default(name: str, shown: str, text: str) -> None:
    assert metavar("textgen", "generate", name) == shown
    assert str(options("textgen", "generate")[name].help).endswith(text)


def test_a_job_that_another_model_trained_is_asked_for_by_reference() -> None:
    assert metavar("denoiser", "evaluate", "--baseline") == "JOB"
    assert str(options("denoiser", "evaluate")["--baseline"].help).endswith("[id, name or `latest`]")


@pytest.mark.parametrize(
    ("action", "default"),
    [("train", "; default mnist"), ("evaluate", "; default what the model was trained on"), ("generate", "")],
)
def test_data_are_described_by_the_datasets_and_forms_that_the_job_takes(action: str, default: str) -> None:
    text = (
        f"the images to read [{expected_data(parameters_of('autoencoder', action))}, or stored data{default}]"
    )
    assert options("autoencoder", action)["--data"].help == text
    assert text.startswith("the images to read [mnist, digits, fashion-mnist, kmnist, an .npz file")


@pytest.mark.parametrize("model", model_names())
def test_the_help_of_each_training_job_names_its_dataset(model: str) -> None:
    default = parameters_of(model, "train").default_data()
    assert str(options(model, "train")["--data"].help).endswith(f"; default {default}]")


def test_values_reach_the_handler_as_they_were_typed_and_absent_ones_not_at_all() -> None:
    calls: list[tuple[str, str, dict[str, Any]]] = []
    group = model_commands("textgen", lambda *call: calls.append(call), [])
    assert group is not None
    arguments = [
        "generate",
        "--temperature",
        "0.50",
        "--temperature",
        "x",
        "--on-unknown",
        "?",
        "--name",
        "n",
    ]
    group.main(arguments, standalone_mode=False)
    [(model, action, given)] = calls
    assert (model, action) == ("textgen", "generate")
    assert split_parameters(given) == ({"temperature": ("0.50", "x"), "on_unknown": "?"}, {"name": "n"})


def test_a_shell_completes_models_options_and_choices() -> None:
    def completions(arguments: list[str], incomplete: str) -> list[str]:
        completer = ShellComplete(quartet, {}, "quartet", "_QUARTET_COMPLETE")
        return [item.value for item in completer.get_completions(arguments, incomplete)]

    assert completions([], "su") == ["submit"]
    assert completions(["submit"], "") == list(model_names())
    assert completions(["submit", "textgen", "generate", "--on-unknown"], "") == ["error", "drop"]
    assert completions(["submit", "textgen", "generate", "--priority"], "h") == ["high"]


def test_an_unknown_model_has_no_commands() -> None:
    assert model_commands("vae", lambda *_: None, []) is None


def test_every_command_has_a_help_and_every_model_its_actions() -> None:
    context = click.Context(quartet)
    names = quartet.list_commands(context)
    assert names == sorted(name for group in COMMANDS.values() for name in group)
    for name in names:
        found = quartet.get_command(context, name)
        assert found is not None
        assert found.name == name
        assert str(found.help).partition("\n")[0].endswith(".")
    for model in model_names():
        group = model_commands(model, lambda *_: None, [])
        assert isinstance(group, click.Group)
        assert group.list_commands(context) == list(ACTIONS)
        assert group.short_help == inspect.getdoc(parameters_of(model, "train"))


def test_a_list_of_commands_cuts_no_sentence() -> None:
    with quartet.make_context("quartet", ["data"], resilient_parsing=True) as context:
        shown = quartet.get_help(context)
    assert "..." not in shown.partition("Commands:")[2]


def test_help_loads_no_library_that_only_a_job_needs() -> None:
    code = (
        "import sys\n"
        "from jobs.cli.main import quartet\n"
        "quartet.main(['--help'], standalone_mode=False)\n"
        "heavy = ('pydantic', 'redis', 'rich', 'numpy', 'celery', 'tensorflow')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", ["data", "name"])
def test_a_text_that_is_not_utf_8_is_refused_in_one_sentence(settings: Settings, name: str) -> None:
    done = quartet_here(settings, "submit", "textgen", "train", f"--{name}", "a\udcff", code=2)
    assert done.stderr == f"quartet: {name}: expected text in UTF-8, got 'a\\udcff'\n"


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("limit", ("list", "--limit")),
        ("last", ("compare", "--last")),
        ("keep_best", ("prune", "--older", "1d", "--keep-best")),
    ],
)
@pytest.mark.parametrize("given", ["0", "1.5"])
def test_every_number_of_jobs_is_read_alike(
    settings: Settings, field: str, arguments: tuple[str, ...], given: str
) -> None:
    said = quartet_here(settings, *arguments, given, code=2).stderr
    assert said.startswith(f"quartet: {field}: expected an integer \u2265 1, got ")
