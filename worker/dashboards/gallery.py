"""`python -m worker.dashboards.gallery FOLDER PORT`: the results folder over HTTP, read-only.

Served by Tornado, which Flower brings along anyway and whose file handler keeps to its folder;
Python's own `http.server` says of itself that it is not meant for this.
"""

import asyncio
import sys
from pathlib import Path

from tornado.web import Application, HTTPError, StaticFileHandler

# What a browser may do with a page from here: show its own pictures and style, and run nothing.
_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Published(StaticFileHandler):  # type: ignore[misc] # Tornado is in the dashboards' image alone
    """Published files alone: nothing hidden, so nothing that is staged."""

    def set_extra_headers(self, path: str) -> None:  # noqa: ARG002 - Tornado's signature
        """Let nothing in these files act in the reader's browser, nor be kept past the next look."""
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-cache")

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Refuse what is hidden, and what a link would lead out to."""
        path = Path(absolute_path)
        inside = path.relative_to(root) if path.is_relative_to(root) else Path("..")
        if any(part.startswith(".") for part in inside.parts) or path.resolve() != path:
            raise HTTPError(404)
        found: str | None = super().validate_absolute_path(root, absolute_path)
        return found


async def serve(folder: Path, port: int) -> None:
    """Serve until ended."""
    application = Application()
    # Only by these names: a page elsewhere whose name is made to point here gets nothing.
    files = [(r"/(.*)", Published, {"path": str(folder), "default_filename": "index.html"})]
    application.add_handlers(r"(localhost|127\.0\.0\.1|\[::1\])", files)
    application.listen(port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]).resolve(), int(sys.argv[2])))
