"""No setting and no environment ends a command in a traceback: it works, or says in a sentence why not."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jobs.cli import main as command_line
from jobs.settings import Settings
from tests.cli.program import QUARTET
from tests.support.answering_redis import answering
from tests.support.redis_servers import Servers

pytestmark = pytest.mark.chaos

SUBMIT = "submit autoencoder train --data digits"
COMMANDS = ["list", "report latest", "rebuild", "data", SUBMIT]
FOLDERS = ("RESULTS_DIR", "DATA_DIR", "STATE_DIR", "GPU_LOCK_DIR")
NAMES = [name.upper() for name in Settings.model_fields]
ODD_FOLDERS = ["/proc/x", "/dev/null", "/dev/null/x", "FILE", "FILE/x", "~nobody-at-all/x", "~", "x" * 300, "/" + "x/" * 2500, "LOOP", "SOCKET", "PIPE"]  # fmt: skip
ODD_VALUES = ["", " ", "nan", "inf", "-1", "1e999", "0x10", "1_000", "١٢", "é漢🙂", "\udcff\udc80", "\x1b[31m", "a\nb", "null", "[]", "{}", "${HOME}", "x" * 100_000]  # fmt: skip


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in this process, as `quartet` does."""

    def call(command: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["quartet", *shlex.split(command)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        out, err = capsys.readouterr()
        code = ended.value.code or 0
        assert code in (0, 1, 2, 3), (command, code, out, err)
        assert "Traceback" not in out + err
        sentences = [line for line in err.splitlines() if line.startswith("quartet: ")]
        assert len(sentences) == (1 if code else 0), (command, err)
        return int(code), out, err

    return call


@pytest.fixture(autouse=True)
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Paths that are no folders; Redis is nowhere."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("QUARTET_STATE_DIR", str(tmp_path / "state"))
    return {
        "FILE": str(tmp_path / "file"),
        "LOOP": str(tmp_path / "loop"),
        "PIPE": str(tmp_path / "pipe"),
        "SOCKET": "/dev/log",
    }


@pytest.mark.parametrize("value", ODD_FOLDERS)
@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_is_none(
    run: Callable[..., object], odd: dict[str, str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for word, path in odd.items():
        value = value.replace(word, path)
    monkeypatch.setenv(f"QUARTET_{name}", value)
    for command in COMMANDS:
        run(command)


@pytest.mark.parametrize("value", ODD_VALUES)
def test_an_odd_value_of_any_setting(
    run: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    value: str,
) -> None:
    for name in NAMES:
        with monkeypatch.context() as patch:
            patch.setenv(f"QUARTET_{name}", value)
            for command in ("list", SUBMIT):
                run(command)


@given(
    name=st.sampled_from(NAMES),
    value=st.text(st.characters(exclude_characters="\0", exclude_categories=[]), max_size=40),
    command=st.sampled_from(["list", "show latest", SUBMIT]),
)
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_value_of_any_setting(
    run: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    command: str,
) -> None:
    with monkeypatch.context() as patch:
        try:
            patch.setenv(f"QUARTET_{name}", value)
        except UnicodeEncodeError:
            return  # no environment can hold it
        run(command)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x01", b"\x00" * 100, b"#" * 2_000_000, b"QUARTET_UMASK='", b"=\n==\n", "QUARTET_RESULTS_DIR=é\n".encode()])  # fmt: skip
def test_an_odd_file_of_settings(run: Callable[..., object], content: bytes) -> None:
    Path(".env").write_bytes(content)
    run("list")
    run(SUBMIT)


def test_what_is_no_file_in_the_place_of_the_settings(run: Callable[..., tuple[int, str, str]]) -> None:
    dotenv = Path(".env")
    dotenv.mkdir()
    assert run("list")[0] == 0
    dotenv.rmdir()
    os.mkfifo(dotenv)
    assert run("list")[0] == 0
    dotenv.unlink()
    dotenv.symlink_to(".env")
    assert run("list")[0] == 0
    dotenv.unlink()
    dotenv.symlink_to("/dev/zero")
    assert run("list")[0] == 0


@pytest.mark.parametrize("command", ["list", "settings", "doctor", "show latest", SUBMIT, "submit --help"])
def test_a_wrong_address_has_the_same_answer_everywhere(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("QUARTET_REDIS_URL", "redis://:ge#heim@host/0")
    code, _, err = run(command)
    if command == "submit --help":
        assert code == 0
    else:
        assert code == 2
        assert err.startswith("quartet: QUARTET_REDIS_URL: expected the address of one Redis")
        assert "heim" not in err


def test_a_variable_that_is_no_setting_is_said_once(tmp_path: Path) -> None:
    environment = os.environ | {"QUARTET_RESULT_DIR": "x", "QUARTET_STATE_DIR": str(tmp_path)}
    done = subprocess.run([QUARTET, "list"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stderr.count("QUARTET_RESULT_DIR is not a setting; did you mean QUARTET_RESULTS_DIR?") == 1


@pytest.mark.parametrize(
    "line",
    [
        "unset HOME; $Q list",
        "HOME= $Q settings",
        "HOME=. $Q list",
        "TMPDIR=/nonexistent $Q list",
        "mkdir gone; cd gone; rmdir ../gone; $Q list",
        "mkdir gone; cd gone; rmdir ../gone; QUARTET_RESULTS_DIR=/tmp/x $Q show latest",
        "$Q list >&-",
        "$Q settings >&- 2>&- <&-",
        "$Q settings >/dev/full",
        "$Q show latest 2>/dev/full",
        "$Q show latest 2>&-",
        "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $Q submit autoencoder train --data digits --name é漢",
        "LC_ALL=POSIX PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $Q show é漢",
        "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 QUARTET_RESULTS_DIR=é $Q list",
        "PYTHONIOENCODING=ascii $Q submit autoencoder train --data é",
    ],
)
def test_an_odd_environment(tmp_path: Path, line: str) -> None:
    environment = os.environ | {"Q": QUARTET, "QUARTET_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, timeout=120, cwd=tmp_path)
    assert done.returncode in (0, 1, 2, 3), done
    for bad in (b"Traceback", b"Exception ignored", b"Error in sys"):
        assert bad not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "options",
    [
        ["--min-replicas-to-write", "1"],
        ["--replicaof", "127.0.0.1 1"],
        ["--replicaof", "127.0.0.1 1", "--replica-serve-stale-data", "no"],
        ["--requirepass", "geheim"],
        ["--maxmemory", "1", "--maxmemory-policy", "noeviction"],
        ["--cluster-enabled", "yes"],
    ],
)
def test_a_redis_that_refuses_queues_nothing_and_says_so(
    run: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
) -> None:
    servers = Servers(tmp_path)
    try:
        address = servers.start(*options).replace(":geheim@", ":wrong-one@")
        monkeypatch.setenv("QUARTET_REDIS_URL", address)
        code, out, err = run(SUBMIT)
        assert code == (2 if "--cluster-enabled" in options else 3)
        assert out == ""
        assert "geheim" not in err
        assert "wrong-one" not in err
    finally:
        servers.end()


@pytest.mark.parametrize(
    "answer", ["NOREPLICAS x", "LOADING x", "BUSY x", "MOVED 1 h:1", "ERR x", "", "MISCONF x"]
)
def test_any_answer_of_redis_is_one_sentence(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    with answering(f"-{answer}\r\n".encode()) as address:
        monkeypatch.setenv("QUARTET_REDIS_URL", address)
        assert run(SUBMIT)[0] == 3
        assert run("cancel 20260101-000000-000-aaaa")[0] == 3
