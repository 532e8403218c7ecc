"""A webhook that a test answers for: a real HTTP server in a thread."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], int]
"""A message -> the status with which it is answered."""


class Webhook:
    """What was posted to it.

    Attributes:
        messages: the bodies, in the order in which they came.
        headers: those of each.
        answer: decides on the status.
        location: of a redirection.
    """

    def __init__(self, port: int, answer: Answer) -> None:
        self.port, self.answer, self.location = port, answer, ""
        self.messages: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/T0PSECRETTOKEN"

    def events(self) -> list[str]:
        return [message["event"] for message in self.messages]


@contextmanager
def webhook(answer: Answer = lambda _: 204, tls: ssl.SSLContext | None = None) -> Iterator[Webhook]:
    """A webhook for the length of the block, by TLS where it has a certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hook.messages.append(message)
            hook.headers.append(dict(self.headers))
            status = hook.answer(message)
            self.send_response(status)
            if hook.location:
                self.send_header("Location", hook.location)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        hook = Webhook(server.server_port, answer)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
