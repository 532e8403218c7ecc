"""`python -m worker.dashboards.gallery FOLDER PORT`: the results folder over HTTP, read-only.

Tornado serves it: Flower depends on it anyway, and its file handler never leaves its folder, whereas Python
does not recommend its own `http.server` for production.
"""

import asyncio
import sys
from pathlib import Path

from tornado.web import Application, HTTPError, StaticFileHandler

# A page may show its own images and styles, and run nothing.
_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Published(StaticFileHandler):  # type: ignore[misc] # Tornado is in the dashboards' image alone
    """Serves published files alone: nothing hidden, and so nothing staged."""

    def set_extra_headers(self, path: str) -> None:  # noqa: ARG002 - Tornado's signature
        """Keep these files from running anything in the browser, and the browser from showing stale ones."""
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-cache")

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Refuse hidden files and symbolic links.

        Raises:
            HTTPError: with status 404, for both.
        """
        path = Path(absolute_path)
        inside = path.relative_to(root) if path.is_relative_to(root) else Path("..")
        if any(part.startswith(".") for part in inside.parts) or path.resolve() != path:
            raise HTTPError(404)
        found: str | None = super().validate_absolute_path(root, absolute_path)
        return found


async def serve(folder: Path, port: int) -> None:
    """Serve until stopped.

    Args:
        folder: the results folder.
        port: to listen on, on all interfaces.
    """
    application = Application()
    # Only under these names, as a defence against DNS rebinding.
    files = [(r"/(.*)", Published, {"path": str(folder), "default_filename": "index.html"})]
    application.add_handlers(r"(localhost|127\.0\.0\.1|\[::1\])", files)
    application.listen(port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]).resolve(), int(sys.argv[2])))
