"""A fifth model is one folder: the text of CONTRIBUTING.md, as it stands there, works from the command line."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.settings import read_settings
from tests.support.processes import until

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`(\w+\.py)`:.*?^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE))
QUARTET = [sys.executable, "-c", "from jobs.cli.main import main; main()"]
MOST_LINES = 120


def write_wing(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    for name, content in FILES.items():
        (folder / name).write_text(content, encoding="utf-8")


@contextmanager
def up(place: Path, packages: Path) -> Iterator[dict[str, str]]:
    """`quartet up`, of an installation that has these packages as well; gives its environment."""
    environment = os.environ | {
        "PYTHONPATH": str(packages),
        "QUARTET_STATE_DIR": str(place / "state"),
        "QUARTET_RESULTS_DIR": str(place / "results"),
        "QUARTET_GPU": "none",
    }
    with (place / "up.log").open("wb") as log:
        process = subprocess.Popen([*QUARTET, "up"], env=environment, cwd=place, stdout=log, stderr=log)
    socket = read_settings(state_dir=place / "state").private_socket()
    try:
        until(socket.exists, 30, "the start of Redis")
        yield environment
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def quartet(command: str, environment: dict[str, str], place: Path) -> str:
    arguments = [*QUARTET, *command.split()]
    done = subprocess.run(
        arguments, env=environment, cwd=place, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def trains_evaluates_and_generates(place: Path, packages: Path) -> None:
    place.mkdir(exist_ok=True)
    with up(place, packages) as environment:
        reports = [
            Path(quartet(f"submit classifier {command} --watch", environment, place).split()[-1])
            for command in (
                "train --data digits --epochs 5 --learning-rate 0.01 --name first",
                "evaluate --from first",
                "generate --from first --count 3",
            )
        ]
    trained, evaluated, generated = (report.parent for report in reports)
    assert {"model.keras", "checkpoint.npz", "history.csv"} <= {path.name for path in trained.iterdir()}
    metrics = json.loads((evaluated / "metrics.json").read_bytes())
    assert metrics["accuracy"] > 0.8
    assert metrics["images"] == 300
    assert "Accuracy by digit" in (evaluated / "report.html").read_text(encoding="utf-8")
    assert len((generated / "labels.csv").read_text().splitlines()) == 4
    help_text = quartet("submit classifier train --help", environment, place)
    assert "--batch-size" in help_text
    assert "examples in one training step" in help_text


def test_contributing_shows_a_whole_model_in_few_lines() -> None:
    assert list(FILES) == ["spec.py", "metrics.py", "network.py", "task.py", "report.py"]
    code = [line for content in FILES.values() for line in content.splitlines() if line.strip()]
    assert len(code) < MOST_LINES


@pytest.mark.chaos
def test_one_folder_is_a_model(tmp_path: Path) -> None:
    packages = tmp_path / "quartet"
    for name in ("jobs", "worker"):
        shutil.copytree(ROOT / name, packages / name, ignore=shutil.ignore_patterns("__pycache__"))
    write_wing(packages / "worker" / "tasks" / "classifier")
    trains_evaluates_and_generates(tmp_path / "work", packages)


@pytest.mark.chaos
def test_the_same_folder_in_a_package_of_somebody_elses_is_a_model(tmp_path: Path) -> None:
    source, site = tmp_path / "source", tmp_path / "site"
    write_wing(source / "acme_models" / "classifier")
    (source / "acme_models" / "__init__.py").touch()
    [announcement] = re.findall(r"^```toml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "acme-models"\nversion = "1"\n{announcement}'
    )
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(site), str(source)], check=True, capture_output=True)
    trains_evaluates_and_generates(tmp_path / "work", site)


@pytest.mark.parametrize("part", ["metrics.py", "task.py", "report.py"])
def test_a_folder_that_lacks_a_part_is_refused_with_a_sentence_that_names_it(
    tmp_path: Path, part: str
) -> None:
    write_wing(tmp_path / "acme_models" / "classifier")
    (tmp_path / "acme_models" / "classifier" / part).unlink()
    installed = tmp_path / "acme_models-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-models\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("[quartet.models]\nclassifier = acme_models.classifier\n")
    code = (
        "from pathlib import Path\nfrom jobs.errors import InvalidModel\nfrom jobs.store.job_folder import JobFolder\n"
        "from worker.engine.wings import wing\nfound = wing('classifier')\n"
        f"try: {{'metrics.py': lambda: found.metrics, 'task.py': lambda: found.action('train'),"
        f" 'report.py': lambda: found.present(JobFolder(Path()))}}[{part!r}]()\n"
        "except InvalidModel as error: print(error)"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert said == (
        f"model classifier, {part}: expected a module {part} in the package acme_models.classifier, got none\n"
    )
