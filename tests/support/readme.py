"""The commands of the README and of docs/containers.md, as they stand there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTAINERS = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")


def blocks(document: str) -> list[tuple[str, str]]:
    """Language and text of each block of code in a document."""
    return re.findall(r"```(\w*)\n(.*?)```", document, re.DOTALL)


def script(document: str, containing: str) -> str:
    """The one block of commands of a document in docs/ that contains a text.

    Args:
        document: the name of its file.
        containing: some text of the block.
    """
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    [block] = [block for kind, block in blocks(text) if kind == "sh" and containing in block]
    return block


def commands(containing: str) -> list[str]:
    """The commands of the one block that contains a text, without their comments."""
    both = [*blocks(README), *blocks(CONTAINERS)]
    [block] = [text for kind, text in both if kind == "sh" and containing in text]
    return [line.partition("  #")[0].strip() for line in block.splitlines()]
