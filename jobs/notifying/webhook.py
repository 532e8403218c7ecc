"""Posts a message to a webhook as JSON."""

import json
import socket
import threading
from base64 import b64encode
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from importlib.metadata import version
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from jobs.errors import NotDelivered
from jobs.escape_control import escape_line
from jobs.notifying.addresses import Address
from jobs.secrets import hide_secrets

PATIENCE_SECONDS = 10.0
"""For a connection, for each part of an answer, and for all of it."""

LONGEST_REASON = 200


class _TimeLimit:
    """Ends a connection in time. A socket's own timeout is no limit for one who answers byte by byte."""

    def __init__(self) -> None:
        self.passed = False
        self._watched: socket.socket | None = None
        self._timer = threading.Timer(PATIENCE_SECONDS, self._end)
        self._timer.daemon = True

    def __enter__(self) -> "_TimeLimit":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._watched is not None:
            self._watched.close()

    def watch(self, connected: socket.socket) -> None:
        """End this one; a duplicate is kept of it, since TLS closes the object that it wraps."""
        self._watched = connected.dup()
        if self.passed:
            self._end()

    def _end(self) -> None:
        self.passed = True
        if self._watched is not None:
            with suppress(OSError):  # the other side, or `__exit__`, has closed it
                self._watched.shutdown(socket.SHUT_RDWR)


class _Plain(HTTPConnection):
    limit: _TimeLimit

    def connect(self) -> None:
        """Connect; the limit holds from then on."""
        super().connect()
        self.limit.watch(self.sock)


class _Secure(HTTPSConnection, _Plain):
    """`HTTPSConnection` connects by `_Plain`, so that the limit holds for the handshake as well."""


class _Limited(HTTPHandler, HTTPSHandler):
    """Connects within a limit."""

    def __init__(self, limit: _TimeLimit) -> None:
        super().__init__()
        self._limit = limit

    def http_open(self, req: Request) -> HTTPResponse:
        """Send by HTTP."""
        return self.do_open(partial(self._connection, _Plain), req)

    def https_open(self, req: Request) -> HTTPResponse:
        """Send by HTTPS, to a host whose certificate is valid."""
        return self.do_open(partial(self._connection, _Secure), req)

    def _connection(self, kind: type[_Plain], host: str, **options: Any) -> _Plain:
        connection = kind(host, **options)
        connection.limit = self._limit
        return connection


class _NoRedirect(HTTPRedirectHandler):
    """Takes a redirection for a refusal: whoever answers shall not choose where Quartet connects to."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def post(address: Address, message: dict[str, Any]) -> None:
    """Send a message; an answer's status alone is read.

    Args:
        address: of a webhook.
        message: as JSON.

    Raises:
        NotDelivered: nobody answers in time, or not by a status of 200 to 299.
    """
    parts = urlsplit(address.url)
    headers = {"Content-Type": "application/json", "User-Agent": f"quartet/{version('quartet')}"}
    user, at, host = parts.netloc.rpartition("@")
    if at:
        headers["Authorization"] = f"Basic {b64encode(unquote(user).encode()).decode()}"
    url = parts._replace(netloc=host, fragment="").geturl()
    with _TimeLimit() as limit:
        try:
            request = Request(url, json.dumps(message).encode(), headers, method="POST")
            with build_opener(_NoRedirect(), _Limited(limit)).open(request, timeout=PATIENCE_SECONDS):
                if not limit.passed:  # else the answer is what was there when the connection was ended
                    return
            reason = "timed out"
        except HTTPError as error:
            error.close()
            raise NotDelivered(f"{address.masked} answers {error.code}", answered=True) from None
        except (OSError, HTTPException, ValueError) as error:
            cause = getattr(error, "reason", error)
            late = limit.passed or isinstance(cause, TimeoutError)
            reason = "timed out" if late else str(cause) or type(error).__name__
    reason = escape_line(hide_secrets(reason))[:LONGEST_REASON]
    raise NotDelivered(f"{address.masked} cannot be reached ({reason})", answered=False)
