"""A real primary with a replica, and the real Sentinels that watch both."""

import subprocess
from pathlib import Path

from jobs.ledger.connection import connect
from jobs.local.servers import find_server
from tests.support.processes import until
from tests.support.redis_servers import Servers, free_port

SERVICE = "main"


class WatchedServers(Servers):
    """Two servers and three Sentinels; the primary may be killed or demoted.

    Args:
        folder: for what the servers write.
        options: of both servers.
        sentinel_options: lines of the Sentinels' file.
    """

    def __init__(self, folder: Path, *options: str, sentinel_options: tuple[str, ...] = ()) -> None:
        super().__init__(folder)
        self.options = options
        self.primary = self._start("primary")
        self.replica = self._start("replica", "--replicaof", *self._place(self.primary))
        until(lambda: self._online(), 30, "the replica's synchronisation")
        self.sentinels = [self._sentinel(number, sentinel_options) for number in range(3)]
        hosts = ",".join(place for place, _ in self.sentinels)
        self.address = f"redis+sentinel://{hosts}/{SERVICE}/0"
        known = [connect(f"redis://{place}") for place, _ in self.sentinels]
        # Each knows the others and the replica: before, none would agree to a failover.
        for one in known:
            until(lambda: self._sees_all(one), 60, "the Sentinels' acquaintance")  # noqa: B023 - called at once

    def kill_primary(self) -> None:
        """Kill the server that the Sentinels were told of; they make the replica the primary."""
        self.started[0].kill()
        self.started[0].wait()

    def demote_primary(self) -> None:
        """Have the Sentinels make the replica the primary, and that one its replica."""
        connect(f"redis://{self.sentinels[0][0]}").execute_command("SENTINEL", "FAILOVER", SERVICE)

    def _start(self, name: str, *options: str) -> str:
        (self.folder / name).mkdir()
        return self.start("--appendonly", "yes", *options, *self.options, "--dir", str(self.folder / name))

    @staticmethod
    def _place(address: str) -> tuple[str, str]:
        host, _, port = address.rpartition("@")[2].removeprefix("redis://").partition("/")[0].partition(":")
        return host, port

    def _online(self) -> bool:
        return "online" in str(connect(self.primary).info("replication").get("slave0", ""))

    def _sentinel(self, number: int, more: tuple[str, ...]) -> tuple[str, subprocess.Popen[bytes]]:
        port, file = free_port(), self.folder / f"sentinel-{number}.conf"
        host, primary = self._place(self.primary)
        lines = [
            f"port {port}",
            "bind 127.0.0.1",
            f"dir {self.folder}",
            f"logfile {self.folder}/sentinel-{number}.log",
            f"sentinel monitor {SERVICE} {host} {primary} 2",
            f"sentinel down-after-milliseconds {SERVICE} 1000",
            f"sentinel failover-timeout {SERVICE} 5000",
            *more,
        ]
        file.write_text("\n".join(lines) + "\n")
        process = subprocess.Popen([find_server(), str(file), "--sentinel"], stdout=subprocess.DEVNULL)
        self.started.append(process)
        self._wait(port)
        return f"127.0.0.1:{port}", process

    @staticmethod
    def _sees_all(sentinel: object) -> bool:
        about = sentinel.execute_command("SENTINEL", "MASTER", SERVICE)  # type: ignore[attr-defined]
        if not isinstance(about, dict):
            about = dict(zip(about[::2], about[1::2], strict=True))
        return (int(about["num-other-sentinels"]), int(about["num-slaves"])) == (2, 1)
