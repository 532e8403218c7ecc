"""The address of Redis: read in one place for client, workers and dashboards, and masked for people.

Ours, since redis-py and kombu read one address in two ways, and both guess where it is wrong: `/1/2` is
database 12 to redis-py, and a `#` in a password ends the address. What is ambiguous is refused here, and
whatever is accepted is handed on in one canonical form, which both read alike.
"""

import hashlib
import os
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlencode, urlsplit

from jobs.errors import InvalidSetting
from jobs.redis_access.hosts import decoded, host_and_port, without_sentinels
from jobs.redis_access.namespace import FIELD as NAMESPACE_FIELD
from jobs.redis_access.options import SECRET_OPTIONS, read_options
from jobs.redis_access.password_file import read_password
from jobs.redis_access.refusal import SENTINEL_FORM, refused
from jobs.secrets import MASK, remember

LONGEST_SOCKET_PATH = 99
"""In characters. A Unix socket's path has at most 104 on macOS and 108 on Linux, a final NUL included."""

LONGEST_ADDRESS = 8_000
HIGHEST_DATABASE = 2**31 - 1
SENTINEL = "+sentinel"
"""Ends a scheme whose hosts are Sentinels, which know which server of a service is its primary."""

SCHEMES = ("redis", "rediss", "unix", f"redis{SENTINEL}", f"rediss{SENTINEL}")
OTHER_SCHEMES = {
    "sentinel": "Sentinel in another program's form",
    "redis-sentinel": "Sentinel in another program's form",
    "redis+cluster": "a cluster",
    "redis-cluster": "a cluster",
    "rediss+cluster": "a cluster",
    "rediss-cluster": "a cluster",
}
"""Schemes of other programs that are refused by name."""


@dataclass(frozen=True)
class RedisAddress:
    """A valid address: of one server and database, and of the part of it that is this Quartet's.

    Attributes:
        path: of a socket; any other server has a `host` and a `port`, or is found by Sentinel.
        sentinels: host and port of each; user, password and database are the server's.
        service: what the Sentinels call the server and its replicas.
        namespace: before each key and channel; empty: nothing is.
    """

    scheme: str
    host: str = ""
    port: int = 6379
    path: str = ""
    database: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    namespace: str = ""

    @property
    def tls(self) -> bool:
        """Whether the servers, and the Sentinels, speak TLS."""
        return self.scheme.startswith("rediss")

    @property
    def prefix(self) -> str:
        """What each key and each channel begins with."""
        return f"{self.namespace}:" if self.namespace else ""

    @property
    def url(self) -> str:
        """The canonical spelling, with the password."""
        user = quote(self.user, safe="")
        return self._spelled(
            f"{user}:{quote(self.password, safe='')}@" if self.password else user and f"{user}@"
        )

    @property
    def masked(self) -> str:
        """The same for people: without passwords, and without a user that may be a misplaced password."""
        user = quote(self.user, safe="")
        hidden = tuple((name, MASK if name in SECRET_OPTIONS else value) for name, value in self.options)
        login = f"{user}:{MASK}@" if self.password else user and f"{MASK}@"
        return replace(self, options=hidden)._spelled(login)

    @property
    def kombu_url(self) -> str:
        """As kombu's own transports read it, with the password: one Sentinel, and no namespace."""
        server = replace(self, namespace="")
        if self.sentinels:
            host, port = self.sentinels[0]
            server = replace(server, scheme="sentinel", host=host, port=port, sentinels=(), options=())
        return server.url.replace("unix://", "redis+socket://", 1)

    def connection_arguments(self) -> dict[str, Any]:
        """The arguments of a `redis.ConnectionPool`, as redis-py itself reads the canonical form.

        Those of a server that Sentinel finds have neither host nor port.
        """
        from redis.connection import parse_url

        server = replace(self, namespace="")
        if self.sentinels:
            options = tuple(pair for pair in self.options if not pair[0].startswith("sentinel_"))
            scheme = self.scheme.removesuffix(SENTINEL)
            server = replace(server, scheme=scheme, sentinels=(), host="localhost", options=options)
        arguments: dict[str, Any] = parse_url(server.url)  # type: ignore[no-untyped-call]
        if self.sentinels:
            arguments = {name: value for name, value in arguments.items() if name not in ("host", "port")}
        return {"db": self.database} | arguments

    def _spelled(self, login: str) -> str:
        database = f"db={self.database}" if self.path and self.database else ""
        namespace = f"namespace={self.namespace}" if self.namespace else ""
        query = "&".join(
            filter(None, [database, namespace, urlencode(self.options, safe="/*", quote_via=quote)])
        )
        if self.path:
            place = quote(os.fsencode(self.path))
        elif self.sentinels:
            place = f"{','.join(_place(*each) for each in self.sentinels)}/{self.service}/{self.database}"
        else:
            place = f"{_place(self.host, self.port)}/{self.database}"
        return f"{self.scheme}://{login}{place}" + (f"?{query}" if query else "")


def socket_address(path: Path) -> str:
    """The canonical address of a Unix socket, whichever characters its path has."""
    return RedisAddress("unix", path=str(path)).url


@lru_cache(maxsize=64)
def read_address(text: str) -> RedisAddress:
    """Read an address; a password in it is known to `jobs.secrets` from then on.

    Args:
        text: in one of the forms that redis-py documents, or with Sentinels and a service in place of a host.

    Raises:
        InvalidSetting: it is not valid, or ambiguous; the message shows nothing of it.
    """
    if len(text) > LONGEST_ADDRESS:
        raise refused(f"of more than {LONGEST_ADDRESS:,} characters")
    text = text.strip()
    if not text.isprintable():
        raise refused("with a character that cannot be printed, such as a line break or a byte-order mark")
    scheme, separator, rest = text.partition("://")
    if scheme.lower() in OTHER_SCHEMES:
        of = OTHER_SCHEMES[scheme.lower()]
        hint = "Quartet needs one Redis server, not several" if of == "a cluster" else SENTINEL_FORM
        raise refused(f"of {of}", hint)
    if scheme not in SCHEMES or not separator:
        raise refused("that does not begin with redis://, rediss://, redis+sentinel:// or unix://", None)
    if "#" in rest:
        raise refused("with a #")
    place: dict[str, Any] = {}
    if scheme.endswith(SENTINEL):
        rest, sentinels, service = without_sentinels(rest)
        place = {"sentinels": sentinels, "service": service}
    parts = _split(f"{scheme}://{rest}")
    options = read_options(parts.query, scheme)
    user, password = _login(parts, options)
    namespace = options.pop("namespace", "")
    address = RedisAddress(
        scheme, user=user, password=password, database=_database(parts, options), namespace=namespace
    )
    place |= _socket(parts) if scheme == "unix" else {} if place else _host(parts)
    left = tuple(sorted(options.items()))
    remember(password)
    for name, value in left:
        if name in SECRET_OPTIONS:
            remember(value)
    return replace(address, **place, options=left)


def with_password(address: RedisAddress, password_file: Path) -> RedisAddress:
    """Add the password that a file holds to an address, unless it has one or is a Unix socket's.

    Raises:
        InvalidSetting: the file cannot be read, or does not hold one password.
    """
    if address.path or address.password:
        return address
    return replace(address, password=read_password(password_file))


def with_namespace(address: RedisAddress, namespace: str) -> RedisAddress:
    """Add a namespace to an address.

    Args:
        address: with the same namespace, or with none.
        namespace: as `jobs.redis_access.namespace` accepts it; an empty one changes nothing.

    Raises:
        InvalidSetting: the address has another one.
    """
    if address.namespace and namespace and address.namespace != namespace:
        raise InvalidSetting(
            NAMESPACE_FIELD,
            expected=f"{address.namespace}, the namespace in the address of Redis",
            given=namespace,
        )
    return replace(address, namespace=namespace or address.namespace)


def masked_url(url: str) -> str:
    """An address for messages and logs: without its password, and not at all if it is not valid."""
    try:
        return read_address(url).masked
    except InvalidSetting:
        return "an address that is not valid"


def private_socket(state_dir: Path) -> Path:
    """The socket of the Redis that `quartet up` starts.

    It lies in the state folder, or, where that has a long path, in the folder for temporary files.
    """
    path = state_dir.absolute() / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path("/tmp") / f"quartet-{os.getuid()}-{digest}" / "redis.sock"


def _place(host: str, port: int) -> str:
    if ":" in host:  # IPv6
        host = f"[{host.replace('%', '%25')}]"
    return f"{host}:{port}"


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:  # its message shows the password
        raise refused("whose host cannot be read") from None


def _login(parts: SplitResult, options: dict[str, str]) -> tuple[str, str]:
    """User and password, each from before the host or from the query."""
    login = parts.netloc.rpartition("@")[0]
    user, _, password = login.partition(":")
    found = []
    for name, text in (("username", user), ("password", password)):
        before, option = decoded(text, name), options.pop(name, "")
        if before and option and before != option:
            raise refused(f"with two different {'users' if name == 'username' else 'passwords'}")
        found.append(before or option)
    return found[0], found[1]


def _database(parts: SplitResult, options: dict[str, str]) -> int:
    path = "" if parts.scheme == "unix" else parts.path.removeprefix("/")
    numbers = set()
    for text in (path, options.pop("db", "")):
        if text:
            text = decoded(text, "database")
            if not re.fullmatch("[0-9]{1,10}", text) or int(text) > HIGHEST_DATABASE:
                raise refused("whose database is not a whole number")
            numbers.add(int(text))
    if len(numbers) > 1:
        raise refused("with two different databases")
    return numbers.pop() if numbers else 0


def _socket(parts: SplitResult) -> dict[str, Any]:
    if parts.netloc.rpartition("@")[2]:
        raise refused("whose socket has no absolute path, as in unix:///run/redis.sock")
    path = os.fsdecode(unquote_to_bytes(parts.path))
    if not path.startswith("/") or path == "/" or "\0" in path:
        raise refused("whose socket has no absolute path, as in unix:///run/redis.sock")
    return {"path": path}


def _host(parts: SplitResult) -> dict[str, Any]:
    place = parts.netloc.rpartition("@")[2]
    if "," in place:
        raise refused("with several hosts")
    host, port = host_and_port(place, 6379, parts.query)
    return {"host": host, "port": port}
