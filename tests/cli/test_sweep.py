"""`quartet sweep` queues what a file or a line describes, or prints it, or names every mistake."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from jobs.cli.main import main
from jobs.client import Client
from jobs.reuse import EqualJobs
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.sweeps.entry import Outcome
from jobs.sweeps.outcomes import Outcomes
from tests.cli.program import QUARTET, environment
from tests.sweeps.stand_in_worker import StandIn, sweep_of

Run = Callable[..., tuple[str, str]]

FILE = """\
name: rates
model: autoencoder
data: digits
method: grid
parameters:
  epochs: {value: 2}
  learning_rate: {values: [1e-3, 3e-3]}
seeds: 2
---
name: first
model: autoencoder
data: digits
parameters: {epochs: 1}
then: [evaluate, generate]
"""
WRONG = FILE.replace("3e-3", "fast").replace("then: [evaluate,", "then: [evaluat,")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the program within this process, and checks its exit code; there is no Redis."""
    monkeypatch.setenv("QUARTET_RESULTS_DIR", str(tmp_path / "results"))
    monkeypatch.setenv("QUARTET_STATE_DIR", str(tmp_path / "state"))

    def call(*arguments: str, code: int = 0) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["quartet", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert (end.value.code or 0) == code, (arguments, out, err)
        return out, err

    return call


@pytest.fixture
def queue(run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same with a Redis."""
    monkeypatch.setenv("QUARTET_REDIS_URL", settings.redis_address())
    return run


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "sweeps.yaml").write_text(FILE)
    return "sweeps.yaml"


def test_a_dry_run_prints_the_points_and_needs_no_redis(run: Run, file: str) -> None:
    out, err = run("sweep", file, "--dry-run")
    assert err == ""
    assert (
        out
        == """\
rates: autoencoder train on digits, grid, to minimize validation_bce
2 points, 2 seeds each: 4 trials, 4 jobs
epochs 2
how long it takes is not known: no finished job has the same model, action and data
POINT learning_rate
0     0.001
1     0.003

first: autoencoder train on digits, then evaluate, then generate
epochs 1; 3 jobs
how long it takes is not known: no finished job has the same model, action and data
"""
    )


def test_a_dry_run_as_json_has_all_points(run: Run, file: str) -> None:
    [sweep, job] = json.loads(run("sweep", "--dry-run", "--json", file)[0])
    assert sweep["points"] == [{"learning_rate": 0.001}, {"learning_rate": 0.003}]
    assert (sweep["sweep"], sweep["trials"], sweep["jobs"], sweep["seconds"]) == ("rates", 4, 4, None)
    assert sweep["spec"]["seeds"] == [0, 1]
    assert (job["job"]["name"], [each["action"] for each in job["then"]]) == (
        "first",
        ["evaluate", "generate"],
    )


def test_every_mistake_is_printed_with_its_place_and_nothing_is_queued(
    queue: Run, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "sweeps.yaml").write_text(WRONG)
    out, err = queue("sweep", "sweeps.yaml", code=2)
    assert out == ""
    assert err.splitlines() == [
        "quartet: sweeps.yaml:7:34: parameters.learning_rate.values[1]: expected a number, got 'fast'",
        "quartet: sweeps.yaml:14:8: then[0]: expected one of evaluate, generate, got 'evaluat'",
        "hint: did you mean 'evaluate'?",
    ]
    assert (client.jobs(), client.sweeps()) == ([], [])


def test_a_file_is_queued_and_names_and_ids_are_printed(queue: Run, client: Client, file: str) -> None:
    name, *ids = queue("sweep", file)[0].split()
    assert name == "rates"
    spec = client.find_sweep("rates").spec
    assert (spec.seeds, spec.parameters["learning_rate"].values) == ((0, 1), (0.001, 0.003))
    jobs = [client.job(each) for each in ids]
    assert [job.action for job in jobs] == ["train", "evaluate", "generate"]
    assert [job.stored.source for job in jobs] == [None, ids[0], ids[0]]
    assert [job.state for job in jobs] == ["queued", "waiting", "waiting"]


def test_what_was_queued_is_printed_as_json(queue: Run, file: str) -> None:
    [sweep, job] = json.loads(queue("sweep", file, "--json")[0])
    assert sweep == {"sweep": "rates"}
    assert len({job["job"], *job["then"]}) == 3


def test_nothing_is_queued_if_a_name_is_that_of_another_sweep(
    queue: Run, client: Client, tmp_path: Path, file: str
) -> None:
    queue("sweep", file)
    other = FILE.replace("name: rates", "name: new").replace("first", "second")
    (tmp_path / "more.yaml").write_text(f"{other}---\n{FILE.replace('data: digits', 'data: mnist')}")
    out, err = queue("sweep", "more.yaml", code=2)
    assert out == ""
    assert err.splitlines()[0] == (
        "quartet: more.yaml:16:7: name: expected a name that no sweep with other data has, got 'rates'"
    )
    assert [sweep.name for sweep in client.sweeps()] == ["rates"]


def test_a_dry_run_refuses_the_name_of_another_sweep_too(queue: Run, tmp_path: Path, file: str) -> None:
    queue("sweep", file)
    (tmp_path / "more.yaml").write_text(FILE.replace("data: digits", "data: mnist"))
    out, err = queue("sweep", "more.yaml", "--dry-run", code=2)
    assert (out, err.startswith("quartet: more.yaml:1:7: name: expected a name that no sweep")) == ("", True)
    line = "autoencoder train --learning-rate 1e-3,3e-3 --name rates --dry-run"
    assert queue("sweep", *line.split(), code=2)[1].startswith("quartet: name: expected a name that no sweep")


def test_a_sweep_that_has_ended_and_to_which_nothing_is_added_says_so(queue: Run, client: Client) -> None:
    client.create_sweep(sweep_of("rates"))
    StandIn(client).run()
    line = "autoencoder train --data digits --epochs 2 --learning-rate 1e-3,1e-2,1e-1 --name rates"
    out, err = queue("sweep", *line.split())
    assert out == "rates\n"
    assert err == (
        "rates has ended, and nothing of it is new; `quartet sweeps retry rates` runs what failed or was deleted\n"
    )
    assert queue("sweep", *line.replace("1e-1", "1e-1,2e-1").split()) == ("rates\n", "")


def test_a_dry_run_says_what_is_new_of_a_sweep_that_is_there(queue: Run, tmp_path: Path, file: str) -> None:
    queue("sweep", file)
    (tmp_path / "more.yaml").write_text(FILE.replace("3e-3]", "3e-3, 1e-2]"))
    there = "a sweep of this name is there and runs: it has 0 trials, 6 are new"
    assert there in queue("sweep", "more.yaml", "--dry-run")[0].splitlines()
    [sweep, _] = json.loads(queue("sweep", "more.yaml", "--dry-run", "--json")[0])
    assert (sweep["there"], sweep["trials"]) == ({"state": "running", "trials": 0}, 6)


def test_a_dry_run_says_what_is_reused(run: Run, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the training jobs have equals; no folder is there, so nothing is known of those."""
    equal = "20261127-071500-000-aaaa"

    def find(_: EqualJobs, spec: JobSpec, *, same_name: bool = False) -> str | None:
        assert same_name is (spec.name in ("first", None))
        return equal if spec.action == "train" and (spec.seed or spec.name == "first") else None

    monkeypatch.setattr(EqualJobs, "find", find)
    monkeypatch.setattr(Outcomes, "look", lambda _, ids, **__: dict.fromkeys(ids, Outcome("succeeded", 1.0)))
    lines = run("sweep", file, "--dry-run")[0].splitlines()
    assert lines[3] == "2 of these are reused: equal jobs have succeeded"
    assert lines[lines.index("epochs 1; 3 jobs") + 1] == "1 of these is reused: equal jobs have succeeded"
    [sweep, job] = json.loads(run("sweep", file, "--dry-run", "--json")[0])
    assert (sweep["reused"], job["reused"]) == (2, 1)


def test_a_dry_run_tells_how_trials_are_stopped_early(run: Run) -> None:
    line = "autoencoder train --data digits --learning-rate 1e-3,3e-3,1e-2 --epochs 9 --dry-run"
    median = run("sweep", *line.split(), "--early-terminate", "median", "--min-iter", "2")[0]
    assert (
        "median: after 2 epochs or more, a trial worse than the median of the others is stopped"
        in median.splitlines()
    )
    halving = run("sweep", *line.split(), "--early-terminate", "halving")[0].splitlines()
    assert "3 points: 3 trials, 5 jobs" in halving
    assert "halving: rungs of 1, 3 and 9 epochs" in halving


def test_a_line_is_a_sweep(queue: Run, client: Client) -> None:
    line = "autoencoder train --data digits --learning-rate 1e-3,3e-3 --seed 0..2 --epochs 1 --then evaluate"
    name = queue("sweep", *line.split(), "--parallel", "2")[0].strip()
    spec = client.find_sweep(name).spec
    assert name.startswith("autoencoder-20")
    assert (spec.method, spec.seeds, spec.parallel, spec.most_points()) == ("grid", (0, 1, 2), 2, 2)
    assert [then.action for then in spec.then] == ["evaluate"]


def test_a_line_with_mistakes_names_the_options(run: Run) -> None:
    line = "autoencoder train --data digitz --learning-rate 1e-3,x --run-cap none --dry-run"
    assert [each for each in run("sweep", *line.split(), code=2)[1].splitlines() if "hint" not in each] == [
        "quartet: data: expected one of mnist, digits, fashion-mnist, kmnist, or the path of an .npz file, an IDX file or a folder of image or IDX files, "
        "got 'digitz'",
        "quartet: learning_rate: expected a number, got 'x'",
        "quartet: run_cap: expected an integer from 1 to 10,000, got 'none'",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("autoencodr", "train"),
            "model: expected one of autoencoder, denoiser, sentiment, textgen, got 'autoe",
        ),
        (
            ("a.yaml", "--name", "x"),
            "option of sweep: expected one of --dry-run, --watch, --in-place, --yes, --json, --help, got '--name'\n"
            "hint: `quartet sweep --help` lists the options\n",
        ),
        (("a.yaml", "b.yaml"), "arguments: expected nothing after FILE, got 'b.yaml'"),
        (("autoencodr",), "file: expected a YAML file of sweeps, got autoencodr (no such file or directory)"),
        (("--dry-run",), "file: expected a YAML file, or a model, got none"),
        (("autoencoder", "trian"), "action: expected one of train, evaluate, generate, got 'trian'"),
        (
            ("autoencoder", "train", "--epoch", "1,2"),
            "option of sweep autoencoder train: expected one of --epo",
        ),
        (("autoencoder", "train", "--name", "a", "--name", "b"), "--name: expected one value, got 2"),
        (("autoencoder", "evaluate", "--seed", "0,1"), "from: expected an autoencoder train job"),
        (
            ("--what", "a.yaml"),
            "option of sweep: expected one of --dry-run, --watch, --in-place, --yes, --json, --help, got '--wh",
        ),
    ],
)
def test_wrong_usage_is_one_sentence(run: Run, arguments: tuple[str, ...], message: str) -> None:
    err = run("sweep", *arguments, code=2)[1]
    assert err.startswith(f"quartet: {message}"), err


def test_a_misspelled_model_is_hinted_at(run: Run) -> None:
    assert run("sweep", "autoencodr", code=2)[1].endswith("hint: did you mean 'autoencoder'?\n")


def test_notes_go_to_standard_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FILE.replace("method: grid", "method: bayes\nrun_cap: 4"))
    out, err = run("sweep", "a.yaml", "--dry-run", "--json")
    assert err == "note: method: bayes is taken for tpe\n"
    assert json.loads(out)[0]["spec"]["method"] == "tpe"


def test_a_file_is_read_from_a_pipe(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WRONG.encode())))
    err = run("sweep", "-", "--dry-run", code=2)[1]
    assert err.startswith(
        "quartet: standard input:7:34: parameters.learning_rate.values[1]: expected a number"
    )


def test_control_characters_of_a_file_do_not_reach_the_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text('model: "\\e[2Jx"\n"\\e[31m": 1\n')
    out, err = run("sweep", "a.yaml", code=2)
    assert "\x1b" not in out + err


def test_the_schema_is_printed(run: Run) -> None:
    schema: Any = json.loads(run("schema", "sweep")[0])
    Draft202012Validator.check_schema(schema)
    assert run("schema", "swep", code=2)[1].endswith("hint: did you mean 'sweep'?\n")


def test_the_program_does_so_in_a_process_of_its_own(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(WRONG)
    done = subprocess.run(
        [QUARTET, "sweep", "a.yaml"], env=environment(settings), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 3)
