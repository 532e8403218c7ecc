"""A message says what happened, and nothing that an address is not to learn."""

import json

from jobs.notifying.message import LONGEST_TEXT, message
from jobs.secrets import remember


def test_a_message_holds_no_secret_no_control_character_and_no_text_without_end() -> None:
    remember("geheim123")
    about = {"error": "redis://:geheim123@host", "tags": ["geheim123"], "value": float("nan"), "trial": 3}
    found = message("id", "job.failed", 0, "geheim123 \x1b", ["", "x" * 9_000], {"job": about})
    assert found["job"] == {"error": "redis://:***@host", "tags": ["***"], "value": None, "trial": 3}
    assert found["title"] == "*** [U+001B]"
    assert found["text"].startswith("*** [U+001B]\nxxx")
    assert len(found["text"]) == LONGEST_TEXT
    assert "geheim" not in json.dumps(found, allow_nan=False)
