"""What a stranger wrote is shown, by pages and on the terminal, and obeyed by neither."""

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from jobs.ids import new_job_id
from jobs.showing.command_line import command_line
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from tests.cli.hostile_world import CONTROL, ID, Row, World, check, table
from tests.cli.program import QUARTET
from tests.support.report_folders import HOSTILE

PAGES: list[Row] = [
    (
        f"the page of an error, a note and a log that say {text[:20]!r}",
        lambda w, text=text: w.page(error=text, notes=[text], log_end=text, worker=text),
        "the page is whole",
    )
    for text in HOSTILE
]


@table(PAGES)
def test_it_gets_one_sentence_or_does_nothing(world: World, send: Callable[[World], Any], gets: str) -> None:
    check(world, send, gets)


SAID = {
    "an escape sequence": "\x1b]0;owned\x07\x1b[2J",
    "a C1 control": "\x9b2Jowned",
    "markup of the terminal's library": "[red]owned[/red] [/] [link=file:///etc/passwd]x",
    "turned text": "\u202egpj.exe\u202c",
    "half a character": "\ud800",
    "a carriage return": "all is well\rowned",
}


@pytest.mark.parametrize("name", SAID)
def test_the_terminal_shows_what_a_stranger_wrote_and_does_not_obey_it(
    world: World, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    text = SAID[name]
    event = {"time": "2026-11-23T22:15:30.042Z", "text": text}
    folder = world.finished(
        state="failed",
        error=text,
        worker=text,
        headline={"label": text, "value": 1, "unit": text},
        timeline=[event],
    )
    said = world.shown(capsys, ID)
    assert not CONTROL.search(said)
    if "red" in text:
        assert said.count(text) >= 4, "it is no markup of ours"
    # The commands that programs read: JSON that says the same, in characters that move nothing.
    environment = os.environ | world.settings.environment()
    done = subprocess.run([QUARTET, "show", "--json", ID], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert not CONTROL.search(done.stdout.decode())
    assert json.loads(done.stdout)["error"] == text
    assert folder.job["error"] == text


def test_a_prompt_that_moves_the_terminal_is_shown_as_a_command_that_can_be_typed(world: World) -> None:
    prompt = "a\x1b]0;owned\x07'\\ \n\u202e é\x9b $(touch owned) `touch owned`"
    spec = JobSpec.make("textgen", "generate", parameters={"prompt": prompt}, **{"from": ID})
    command = command_line(StoredSpec.of(spec))
    assert not CONTROL.search(command)
    assert "\n" not in command
    typed = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, cwd=world.folder)
    assert prompt in typed.stdout.decode().split("\0")
    assert not (world.folder / "owned").exists()


@pytest.mark.parametrize("reference", ["", "x" * 5_000, "\x1b[31mred", "new_id"])
def test_the_command_line_refuses_in_a_sentence_that_moves_no_terminal(world: World, reference: str) -> None:
    reference = new_job_id() if reference == "new_id" else reference
    environment = os.environ | world.settings.environment()
    done = subprocess.run([QUARTET, "show", reference], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    sentence, *hint = done.stderr.splitlines()
    assert sentence.startswith("quartet: job: expected ")
    assert len(hint) <= 1
    assert all(line.startswith("hint: ") for line in hint)
    assert not CONTROL.search(done.stderr.rstrip("\n"))
    assert len(done.stderr) < 500
