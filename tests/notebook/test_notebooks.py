"""The example notebooks run as they are, and the networks that they train are those that Keras reads."""

import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from jobs.client import Client

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
MODELS = [path.stem for path in NOTEBOOKS]
MOST_LINES = 40


def code_of(path: Path) -> list[str]:
    return [cell.source for cell in read(path).cells if cell.cell_type == "code"]


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def test_there_is_a_notebook_for_each_model() -> None:
    assert MODELS == ["autoencoder", "denoiser", "sentiment", "textgen"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=MODELS)
def test_a_notebook_is_short_and_saved_without_outputs(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    lines = [line for cell in cells for line in cell.source.splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES
    assert max(len(line) for line in lines) <= 110
    assert notebook.metadata.kernelspec.name == "python3"


def test_what_the_documentation_shows_is_in_a_notebook() -> None:
    cells = "\n".join(code for path in NOTEBOOKS for code in code_of(path))
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "notebooks.md").read_text(), re.DOTALL)
    assert blocks
    assert all(block.strip() in cells for block in blocks)


@pytest.mark.quality
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=MODELS)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    notebook = read(path)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    cards = [html for output in outputs if (html := output.get("data", {}).get("text/html"))]
    assert "succeeded" in cards[0]
    assert any("ended" in card and "<table>" in card for card in cards), "the sweep's"
    client = Client(results_dir=tmp_path / "results", redis_is_optional=True)
    jobs = client.jobs()
    assert len(jobs) >= 4
    assert {job.state for job in jobs} == {"succeeded"}
    check_model(client, path.stem)


def check_model(client: Client, model: str) -> None:
    """What `load_model` returns has the weights that plain Keras reads from the file."""
    import keras

    job = client.jobs(model=model, action="train")[-1]
    ours = job.load_model()
    theirs = keras.saving.load_model(job.folder.path / "model.keras", compile=False)
    assert [each.shape for each in ours.inputs] == [each.shape for each in theirs.inputs]
    assert ours.count_params() > 0
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)
