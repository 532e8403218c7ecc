"""`python -m worker.datasets get NAME`: what it prints where, and what it does not need."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.datasets import Dataset, Original
from jobs.models import datasets
from worker.datasets import __main__ as program
from worker.datasets.__main__ import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUARTET_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_dataset_is_downloaded_and_its_path_printed(
    tmp_path: Path,
    data_dir: Path,
    server: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "web/a.txt").write_text("hello")
    original = Original("a.txt", f"{server}/a.txt", 5, hashlib.sha256(b"hello").hexdigest())
    monkeypatch.setattr(
        program, "datasets", lambda: {"a": Dataset("a", "text", "", "", "", (("a.txt",),), (original,))}
    )
    assert main(["get", "a"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{data_dir}/a.txt\n"
    assert printed.err == f"a: downloading 0.0 MB from {server}/a.txt\na: downloaded, SHA-256 verified\n"
    assert main(["get", "a"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (f"{data_dir}/a.txt\n", "a is already there\n")


def test_all_files_of_a_dataset_are_downloaded_but_those_that_are_there(
    tmp_path: Path,
    data_dir: Path,
    server: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    originals = []
    for name in ("a.txt", "b.txt"):
        (tmp_path / "web" / name).write_text(name)
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        originals.append(Original(f"both/{name}", f"{server}/{name}", 5, sha256))
    layout = ("both/", "both/a.txt", "both/b.txt")
    both = Dataset("both", "text", "", "", "", (layout,), tuple(originals))
    monkeypatch.setattr(program, "datasets", lambda: {"both": both})
    (tmp_path / "web/b.txt").rename(tmp_path / "web/c.txt")
    assert main(["get", "both"]) == 2
    assert both.find(data_dir) is None
    (tmp_path / "web/c.txt").rename(tmp_path / "web/b.txt")
    (tmp_path / "web/a.txt").unlink()
    capsys.readouterr()
    assert main(["get", "both"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{data_dir}/both\n"
    assert printed.err.startswith(f"both: downloading 0.0 MB from {server}/, 2 files\n")
    assert sorted(path.name for path in (data_dir / "both").iterdir()) == ["a.txt", "b.txt"]


@pytest.mark.usefixtures("no_network")
def test_without_a_network_it_says_what_to_do_and_exits_with_2(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["get", "mnist"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    url = datasets()["mnist"].originals[0].url
    assert printed.err == (
        f"mnist: downloading 11.5 MB from {url}\n"
        f"quartet: {url}: expected a file to download, got an error (connection refused)\n"
        f"hint: check the network, or put mnist.npz into {data_dir} yourself\n"
    )


def test_an_interrupted_download_exits_with_130(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "obtain", interrupt)
    assert main(["get", "mnist"]) == 130
    assert capsys.readouterr().err.endswith("\nmnist: interrupted, nothing was saved\n")
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("name", "code", "printed"),
    [
        ("digits", 0, "digits needs no download: it is made from scikit-learn's load_digits\n"),
        ("toy-reviews", 0, "toy-reviews needs no download: it is made by a grammar\n"),
        (
            "MNIST",
            2,
            f"quartet: dataset: expected one of {', '.join(datasets())}, got 'MNIST'\nhint: did you mean 'mnist'?\n",
        ),
    ],
)
def test_it_says_when_there_is_nothing_to_download(
    capsys: pytest.CaptureFixture[str], name: str, code: int, printed: str
) -> None:
    assert main(["get", name]) == code
    captured = capsys.readouterr()
    assert captured.err == printed
    assert captured.out == ""


def test_as_a_process_it_prints_the_path_of_a_file_that_is_already_there(tmp_path: Path) -> None:
    (tmp_path / "shakespeare.txt").write_text("To be")
    done = subprocess.run(
        [sys.executable, "-m", "worker.datasets", "get", "shakespeare"],
        cwd=ROOT,
        env=os.environ | {"QUARTET_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/shakespeare.txt\n")
    assert done.stderr == (
        "shakespeare is already there, but not as published: shakespeare.txt has only 5 of the "
        "1,115,394 bytes of the published file; delete it, then `quartet data get shakespeare` downloads it\n"
    )


def test_it_needs_nothing_of_the_worker_extra(tmp_path: Path, server: str) -> None:
    (tmp_path / "web/a.txt").write_text("hello")
    code = (
        "import hashlib, sys; from pathlib import Path; from jobs.datasets import Original; import worker.datasets.__main__\n"
        "from worker.datasets.download import download; import worker.datasets.locate\n"
        f"original = Original('a.txt', {server + '/a.txt'!r}, 5, hashlib.sha256(b'hello').hexdigest())\n"
        f"download(original, Path({str(tmp_path / 'data')!r}))\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'matplotlib', 'celery', 'jinja2', 'PIL', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_damaged_file_is_not_said_to_be_there(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir.mkdir()
    (data_dir / "mnist.npz").write_bytes(b"PK\x03\x04 and nothing more")
    assert main(["get", "mnist"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        f"quartet: {data_dir}/mnist.npz: expected the whole of mnist, got a damaged one: mnist.npz is damaged or "
        "was cut off\nhint: delete it, then `quartet data get mnist` downloads it\n"
    )
