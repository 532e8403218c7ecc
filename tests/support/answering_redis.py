"""A server that speaks Redis' protocol and answers what it is told, for states that a real Redis is hard to put in."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HELLO = b"%2\r\n+proto\r\n:3\r\n+mode\r\n+standalone\r\n"


def commands(stream: socketserver.StreamRequestHandler) -> Iterator[list[bytes]]:
    """The commands that a client sends, until it hangs up."""
    while line := stream.rfile.readline():
        words = []
        for _ in range(int(line[1:])):
            length = int(stream.rfile.readline()[1:])
            words.append(stream.rfile.read(length + 2)[:-2])
        yield words


@contextmanager
def answering(reply: bytes | Callable[[list[bytes]], bytes | None]) -> Iterator[str]:
    """Serve for the length of the block; yield the address.

    Args:
        reply: the bytes that answer every command after the handshake, or what makes them of a command; None
            hangs up.
    """

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                for words in commands(self):
                    name = words[0].upper()
                    if callable(reply):
                        answer = reply(words)
                    elif name == b"HELLO":
                        answer = HELLO
                    elif name in (b"CLIENT", b"SELECT", b"AUTH"):
                        answer = b"+OK\r\n"
                    else:
                        answer = reply
                    if answer is None:
                        return
                    self.wfile.write(answer)
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        finally:
            server.shutdown()
            thread.join()
