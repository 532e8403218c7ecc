"""`python -m worker.dashboards.gallery FOLDER`: the results folder over HTTP, read-only.

Starlette answers conditional requests and those for a range; uvicorn serves it.
"""

import errno
import mimetypes
import os
import stat
from pathlib import Path

import anyio.to_thread
import click
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobs.cli import listening
from jobs.cli.usage import Command
from worker.dashboards import command_line
from worker.dashboards.connections import serve
from worker.dashboards.published_files import MalformedPath, names_in, open_published
from worker.dashboards.store_copy import StoreCopy, store_copy

PROGRAM = "gallery"
POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'{scripts}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A page may show its own images and styles, and run nothing. The page of all jobs may run scripts of this
server, and of them only those that its own, stricter policy names."""

INDEX = "index.html"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Ask again before showing a page that may have changed.
    "Cache-Control": "no-cache",
}

_CANNOT_NOW = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)


class OpenedFile(FileResponse):
    """Answers with a file that has been opened, and closes it."""

    def __init__(self, descriptor: int, status: os.stat_result, name: str) -> None:
        kind, encoding = mimetypes.guess_type(name)
        if encoding or kind is None:
            kind = "application/octet-stream"
        # By its descriptor: by its path it might be another one by now.
        super().__init__(f"/dev/fd/{descriptor}", media_type=kind, stat_result=status)
        self.descriptor = descriptor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, as much of it as was asked for."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            os.close(self.descriptor)


class PublishedFiles(StaticFiles):
    """Serves what is published in a folder: no hidden files, and so no staging folder, and no links."""

    def __init__(self, folder: Path, copy: StoreCopy | None = None) -> None:
        super().__init__(directory=folder)
        self.folder, self.copy = folder, copy
        # Starlette's look at the folder before the first answer; a folder that has gone since is a 404.
        self.config_checked = True

    async def get_response(self, path: str, scope: Scope) -> Response:  # noqa: ARG002 - Starlette's signature
        """Answer a request.

        Raises:
            HTTPException: there is nothing to show.
        """
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        try:
            names = names_in(scope["raw_path"])
        except MalformedPath:
            raise HTTPException(400) from None
        if not names[-1]:
            names[-1] = INDEX
        if self.copy is not None:
            await anyio.to_thread.run_sync(self.copy.bring, names)
        try:
            descriptor, status = await anyio.to_thread.run_sync(open_published, self.folder, names)
        except OSError as error:
            raise HTTPException(503 if error.errno in _CANNOT_NOW else 404) from None
        if stat.S_ISDIR(status.st_mode):
            os.close(descriptor)
            if scope["raw_path"].endswith(b"/"):
                raise HTTPException(404)
            return RedirectResponse(f"{scope['raw_path'].decode()}/")
        response = OpenedFile(descriptor, status, names[-1])
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            os.close(descriptor)
            return NotModifiedResponse(response.headers)
        return response


def with_policy(application: ASGIApp) -> ASGIApp:
    """An application whose every answer says what its page may load and run."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        scripts = "; script-src 'self'" if scope["raw_path"] in (b"/", f"/{INDEX}".encode()) else ""

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICY.format(scripts=scripts)
            await send(message)

        await application(scope, receive, send_with_policy)

    return answer


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path))
@listening.host_option
@listening.port_option(8000)
def gallery(folder: Path, host: str, port: int) -> None:
    """Show a results folder to browsers on this machine, read-only, until stopped."""
    found = command_line.check_folder(folder)
    listener = listening.listen(host, port)
    click.echo(f"the gallery of {folder} is on {listening.shown_address(listener)}")
    serve(with_policy(ExceptionMiddleware(PublishedFiles(found, store_copy(found)))), listener, HEADERS)


if __name__ == "__main__":
    command_line.run(gallery, PROGRAM)
