"""Real certificates, made by OpenSSL for the length of a test, and Redis servers that have them."""

import contextlib
import shutil
import socket
import subprocess
from pathlib import Path

from jobs.errors import MissingPart
from jobs.local.servers import find_server
from tests.support.processes import missing, until
from tests.support.redis_servers import Servers

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Certificates:
    """Authorities and what they sign, each `<name>.crt` with its `<name>.key` in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        if shutil.which("openssl") is None:
            missing("no openssl is installed")

    def authority(self, name: str) -> Path:
        """The certificate of a new authority."""
        self._openssl("req", "-x509", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.crt",
                      "-subj", f"/CN={name}", "-days", "2",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
        return self.folder / f"{name}.crt"

    def signed(self, name: str, of: str, authority: str = "ca", days: int = 2) -> Path:
        """A certificate of a server or a client.

        Args:
            name: of its file.
            of: what it stands for, such as `IP:127.0.0.1`.
            authority: that signs it.
            days: how long it is valid; with 0 it has expired a second later.
        """
        self._openssl("req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (self.folder / "extension").write_text(f"subjectAltName={of}\nauthorityKeyIdentifier=keyid\n")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey",
                      f"{authority}.key", "-CAcreateserial", "-days", str(days), "-extfile", "extension",
                      "-out", f"{name}.crt")  # fmt: skip
        return self.folder / f"{name}.crt"

    def lock_key(self, name: str, password: str) -> Path:
        """A copy of a key that a password locks."""
        locked = f"{name}-locked.key"
        self._openssl("pkey", "-in", f"{name}.key", "-out", locked, "-aes256", "-passout", f"pass:{password}")
        return self.folder / locked

    def server_options(self, name: str, clients: str = "no") -> tuple[str, ...]:
        """The options of a Redis server with one of them.

        Args:
            name: of its certificate.
            clients: whether clients need a certificate of `ca`: yes or no.
        """
        at = str(self.folder / name)
        return ("--tls-cert-file", f"{at}.crt", "--tls-key-file", f"{at}.key", "--tls-ca-cert-file",
                str(self.folder / "ca.crt"), "--tls-auth-clients", clients)  # fmt: skip

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)


class TlsServers(Servers):
    """Servers that speak TLS and nothing else."""

    def start_tls(self, *options: str) -> str:
        """Start one; its host and port. Skips where the server was built without TLS.

        Args:
            options: its certificate and key.
        """
        try:
            server = find_server()
        except MissingPart as error:
            missing(str(error))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [server, "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--dir", str(self.folder), "--logfile", "/dev/null", *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started.append(process)

        def listens() -> bool:
            if process.poll() is not None:
                missing("this Redis server does not speak TLS")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 2):
                return True
            return False

        until(listens, 30, "the start of Redis")
        return f"127.0.0.1:{port}"
