"""Serves an ASGI application by uvicorn, with an end to slow connections.

uvicorn limits how large a request's head may be, but not how long it may take, nor how long an answer may
wait to be read: a client that sends or reads a byte now and then would hold its connection for ever.
"""

import asyncio
import contextlib
import resource
import socket
import struct
import warnings

import h11
import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HOSTS = ["localhost", "127.0.0.1", "[::1]"]
"""The names that a browser may call a dashboard by, as a defence against DNS rebinding."""

REQUEST_SECONDS = 10.0
"""How long a request's head may take from the connection or from the last answer, and its body after that."""

STALL_SECONDS = 20.0
"""How long an answer may wait for its client to read the next 48 kB of it."""

LINGER_SECONDS = 2.0
"""How long a refused client may take to read why."""

MOST_HEAD_BYTES = 16 * 1024
"""The largest head of a request that is waited for."""

MOST_CONNECTIONS = 256
"""Open at once; one more ends the one that has made no progress for the longest time."""

_SEND_BUFFER_BYTES = 256 * 1024
"""The kernel's, for each connection; it would let one grow to megabytes."""

_BACKLOG = 512
_MOST_FILES = 4 * (MOST_CONNECTIONS + _BACKLOG)
_REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 15\r\n"
    b"Connection: close\r\n\r\nInvalid request"
)


def serve(application: ASGIApp, listener: socket.socket, headers: dict[str, str]) -> None:
    """Serve to browsers on this machine, until a signal stops it.

    Args:
        application: by ASGI.
        listener: a listening socket.
        headers: added to every answer of the application.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    config = uvicorn.Config(
        TrustedHostMiddleware(application, allowed_hosts=HOSTS, www_redirect=False),
        http=Connection,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # not a line for each request that is none
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=list(headers.items()),
        backlog=_BACKLOG,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
    )
    # Made and not yet waited for when a signal ends the process at that moment.
    warnings.filterwarnings("ignore", r"coroutine 'Server\.serve' was never awaited", RuntimeWarning)
    uvicorn.Server(config).run(sockets=[listener])


class Connection(H11Protocol):
    """A connection that is ended once its client makes no progress."""

    _timer: asyncio.TimerHandle | None = None
    _refused = False
    _ended = False
    _progress = 0.0

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _allow(self, seconds: float | None) -> None:
        """End this connection in so many seconds, or never, until the next call."""
        self._progress = self.loop.time()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._end)

    def _allow_client(self) -> None:
        """Give the client time for what it has to do now, if anything: to send or to read."""
        unread = self.flow.write_paused if self._answering else self.transport.get_write_buffer_size() > 0
        unsent = not self._answering or self.cycle.more_body
        self._allow(STALL_SECONDS if unread else REQUEST_SECONDS if unsent else None)

    def _end(self) -> None:
        self._ended = True
        # With a reset, or the kernel would keep what the client does not read.
        found = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _make_room(self) -> None:
        """End another connection if there are too many: one that nobody here is busy with."""
        others = [one for one in self.connections if isinstance(one, Connection) and not one._ended]
        if len(others) > MOST_CONNECTIONS:
            min(others, key=lambda one: (one._answering and not one.flow.write_paused, one._progress))._end()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn
        """Wait for the first request."""
        super().connection_made(transport)
        self._allow_client()
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._allow(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take part of a request; what follows a refused one is read and dropped."""
        if not self._refused:
            super().data_received(data)

    def handle_events(self) -> None:
        """Answer the requests whose heads are complete."""
        before = self.cycle, self._answering and self.cycle.more_body
        super().handle_events()
        if (self.cycle, self._answering and self.cycle.more_body) != before:
            self._allow_client()

    def on_response_complete(self) -> None:
        """Wait for the client to read the answer's end, and for the next request."""
        self._allow_client()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._allow_client()

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        self._allow_client()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Refuse what is not HTTP, and read on: to close with input unread would take back the answer."""
        if self.conn.our_state is not h11.IDLE:
            self._end()
            return
        self._refused = True
        self.transport.write(_REFUSAL)
        with contextlib.suppress(OSError):  # the client has gone
            self.transport.write_eof()
        self._allow(LINGER_SECONDS)
