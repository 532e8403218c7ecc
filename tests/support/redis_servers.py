"""Real Redis servers with options of a test's choice, each on a port of its own."""

import contextlib
import random
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from jobs.errors import MissingPart
from jobs.local.redis_server import find_server
from tests.support.processes import missing


class Servers:
    """Starts servers, and ends them with the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *given: str, config: Path | None = None, options: tuple[str, ...] = ()) -> str:
        """Start one; its address, with the password if an option sets one."""
        try:
            server = find_server()
        except MissingPart as error:
            missing(str(error))
        port = free_port()
        command = [server, *([str(config)] if config else []), "--port", str(port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.folder), "--save", "", "--loglevel", "warning", *given, *options]
        self.started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        self._wait(port)
        password = given[given.index("--requirepass") + 1] if "--requirepass" in given else ""
        return f"redis://{f':{password}@' if password else ''}127.0.0.1:{port}/0"

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 2) as found:
                found.settimeout(2)
                found.sendall(b"PING\r\n")
                # Any answer but that it still loads: NOAUTH, MASTERDOWN.
                if re.match(rb"\+PONG|-(?!LOADING)", found.recv(100)):
                    return
            time.sleep(0.05)
        raise AssertionError("Redis did not start")

    def end(self) -> None:
        for process in self.started:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


def free_port() -> int:
    """A port that is free: below 50,000, since a node of a cluster also listens 10,000 above its port."""
    while True:
        port = random.randrange(20_000, 50_000)
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
