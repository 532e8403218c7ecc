"""Serves one page by HTTP, to clients who may be slow, hostile or many.

Ours, since prometheus-client's own server starts a thread for each connection, and waits for ever for its
request.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

CONNECTION_SECONDS = 10.0
"""From a connection to the end of the answer, which is then cut off."""

MOST_CONNECTIONS = 64
"""Open at once; one more ends the one that has been open for longest."""

MOST_HEAD_BYTES = 16 * 1024

_TEXT = "text/plain; charset=utf-8"
_INDEX = b"The metrics of Quartet are at /metrics.\n"


def serve(listener: socket.socket, content: Callable[[], Awaitable[bytes]]) -> None:
    """Serve until a signal stops the process: SIGTERM ends this call.

    Args:
        listener: a listening socket.
        content: what `/metrics` is answered with.

    Raises:
        KeyboardInterrupt: by Ctrl-C.
    """
    asyncio.run(_serve(listener, content))


async def _serve(listener: socket.socket, content: Callable[[], Awaitable[bytes]]) -> None:
    open_now: dict[asyncio.Task[None], None] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(open_now) >= MOST_CONNECTIONS:
            oldest = next(iter(open_now))
            del open_now[oldest]
            oldest.cancel()
        open_now[task] = None
        try:
            # Its client is gone, too slow, or one too many.
            with contextlib.suppress(TimeoutError, OSError, asyncio.CancelledError):
                async with asyncio.timeout(CONNECTION_SECONDS):
                    await _answer(reader, writer, content)
        finally:
            open_now.pop(task, None)
            writer.transport.abort()

    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    server = await asyncio.start_server(connected, sock=listener, limit=MOST_HEAD_BYTES)
    await stopped.wait()
    server.close()


async def _answer(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    content: Callable[[], Awaitable[bytes]],
) -> None:
    """Answer one request, and wait until the client's end has all of it, or has been told so."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:  # it has hung up
        return
    except asyncio.LimitOverrunError:
        head = b""
    status, kind, body = await _respond(head, content)
    lines = [
        f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close",
        "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
    ]  # fmt: skip
    if status.startswith("405"):
        lines.append("Allow: GET")
    writer.transport.set_write_buffer_limits(0)
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    # To close with input unread would take back the answer.
    while await reader.read(MOST_HEAD_BYTES):
        pass


async def _respond(head: bytes, content: Callable[[], Awaitable[bytes]]) -> tuple[str, str, bytes]:
    """Status, content type and body for a request's head."""
    parts = head.partition(b"\r\n")[0].split(b" ")
    if len(parts) != 3 or not parts[2].startswith(b"HTTP/1."):
        return "400 Bad Request", _TEXT, b"Invalid request\n"
    method, path = parts[0], parts[1].partition(b"?")[0]
    if path not in (b"/", b"/metrics"):
        return "404 Not Found", _TEXT, b"Not found; the metrics are at /metrics\n"
    if method != b"GET":
        return "405 Method Not Allowed", _TEXT, b"Only GET is answered\n"
    if path == b"/":
        return "200 OK", _TEXT, _INDEX
    return "200 OK", CONTENT_TYPE_PLAIN_0_0_4, await content()
