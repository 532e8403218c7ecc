"""docs/sweeps.md has every key, and what it shows works as it stands there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from jobs.cli.sweep import _ONE_LINE, sweep_command
from jobs.sweeps.early_stops import TYPES
from jobs.sweeps.file_schema import file_schema
from jobs.sweeps.parameter_values import DISTRIBUTIONS
from jobs.sweeps.wandb_keys import METHODS, SWEEP_KEYS
from jobs.sweeps.yaml_tree import read_yaml
from tests.sweeps.describing import describer

TEXT = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
QUOTED = set(re.findall(r"\w[\w-]*", " ".join(re.findall(r"`([^`]+)`", PROSE))))


@pytest.mark.parametrize("names", [SWEEP_KEYS, DISTRIBUTIONS, METHODS, TYPES], ids=["keys", "distributions", "methods", "rules"])  # fmt: skip
def test_every_name_is_there(names: tuple[str, ...]) -> None:
    assert {*names} <= QUOTED


def test_every_option_of_one_line_is_there() -> None:
    model = sweep_command.get_command(click.Context(sweep_command), "denoiser")
    assert isinstance(model, click.Group)
    command = model.get_command(click.Context(model), "train")
    assert command is not None
    own = [param.opts[0].strip("-") for param in command.params if param.name in ("method", "run_cap", "parallel", "metric", "goal", "early_terminate", "min_iter", "eta", "then", "max_failures", "tags", "fresh", "dry_run")]  # fmt: skip
    assert len(own) == 13
    assert {*own} <= QUOTED


def test_the_default_of_parallel_is_said_in_the_same_words_everywhere() -> None:
    [default] = re.findall(r"^\| `parallel` .* \| (.*): some are queued ahead", TEXT, re.MULTILINE)
    default = default.replace("`", "")
    [option] = [each for each in _ONE_LINE if each.name == "parallel"]
    assert isinstance(option, click.Option)
    about = file_schema()["$defs"]["description"]["properties"]["parallel"]["description"]
    assert default in about
    assert default in (option.help or "")


def test_the_file_that_is_shown_is_one() -> None:
    for text in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL):
        for node in read_yaml(text.encode()):
            assert describer().describe(node.plain()).made


def test_the_line_that_is_shown_is_a_sweep(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    [line] = re.findall(r"^quartet sweep (autoencoder .*)$", TEXT, re.MULTILINE)
    monkeypatch.setenv("QUARTET_RESULTS_DIR", "results")
    sweep_command.main([*shlex.split(line), "--dry-run"], standalone_mode=False)
    assert "3 points, 3 seeds each: 9 trials, 9 jobs" in capsys.readouterr().out
