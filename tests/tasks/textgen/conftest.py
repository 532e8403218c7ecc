"""A small text, a model trained on it, and a network with something to say."""

from collections.abc import Callable
from pathlib import Path

import keras
import pytest

from jobs.settings import Settings, read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.tasks.textgen.jobs import MARKUP, SMALL, TRAIN, do
from worker.context import JobContext
from worker.tasks.textgen.network import build
from worker.tasks.textgen.pydoc import prose
from worker.tasks.textgen.sampling import Writer
from worker.tasks.textgen.text import Text, open_text


@pytest.fixture(scope="session")
def own_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some English of our own, small enough to train on in a second."""
    path = tmp_path_factory.mktemp("text") / "own.txt"
    path.write_text(f"{MARKUP}\n{prose()[:12_000]}", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, own_text: Path) -> JobFolder:
    return JobFolder(do(tmp_path_factory.mktemp("trained"), "train", own_text, **SMALL).folder)


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory, trained: JobFolder) -> JobFolder:
    return JobFolder(do(tmp_path_factory.mktemp("evaluated"), "evaluate", source=trained).folder)


@pytest.fixture
def context(tmp_path: Path) -> JobContext:
    """Of a job that has not begun."""
    return JobContext(spec=JobSpec.make("textgen", "train"), folder=tmp_path, settings=read_settings())


@pytest.fixture(scope="session")
def network() -> keras.Model:
    """Two layers with weights that have something to say."""
    model = build(11, layers=2, units=8, seed=3)
    model.set_weights([3 * weight for weight in model.get_weights()])
    model.compile(jit_compile=False)  # of Keras' own predictions, which are made few at a time here
    return model


@pytest.fixture(scope="session")
def writer(network: keras.Model) -> Writer:
    return Writer(network, 1)


@pytest.fixture
def folders(tmp_path: Path) -> Settings:
    return read_settings(data_dir=tmp_path / "data")


@pytest.fixture
def opened(tmp_path: Path, folders: Settings) -> Callable[[bytes], Text]:
    def write_and_open(content: bytes) -> Text:
        (tmp_path / "own.txt").write_bytes(content)
        return open_text(TRAIN, str(tmp_path / "own.txt"), folders)

    return write_and_open
