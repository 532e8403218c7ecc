"""The hosts in an address of Redis: each a name, an IPv4 or an IPv6 address, and a port."""

import re
from ipaddress import IPv6Address
from urllib.parse import unquote

from jobs.redis_access.refusal import SENTINEL_FORM, refused


def decoded(text: str, part: str) -> str:
    """A part of an address without its percent-encoding.

    Args:
        text: as it stands in the address.
        part: what it is, for the error.

    Raises:
        InvalidSetting: it encodes no text.
    """
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise refused(f"with a % in the {part} that encodes no character") from None


def host_and_port(place: str, default_port: int, query: str = "") -> tuple[str, int]:
    """A host and its port.

    Args:
        place: `host`, `host:port` or `[IPv6]:port`; of an empty one the host is this machine.
        default_port: of a place without one.
        query: of the address, which an @ ends in the wrong place.

    Raises:
        InvalidSetting: they cannot be read.
    """
    match = re.fullmatch(r"(?:\[([^\]]*)\]|([^:\[\]]*))(?::([0-9]*))?", place)
    if match is None:
        raise refused("whose host or port cannot be read")
    port = int(match[3] or default_port) if len(match[3] or "") <= 5 else 0
    if not 1 <= port <= 65_535:
        raise refused("whose port is not a number from 1 to 65,535")
    if not place.startswith("[") and not match[2] and match[3] and "@" in query:
        raise refused("with an @ after its end")  # `:1?password=x@host`: the password may be all of that
    host = _ipv6(match[1]) if match[1] is not None else _name(decoded(match[2], "host")) or "localhost"
    return host, port


def without_sentinels(rest: str) -> tuple[str, tuple[tuple[str, int], ...], str]:
    """Read the Sentinels and the service of an address.

    Args:
        rest: of the address, after its scheme.

    Returns:
        The same with one host in place of all and without the service; host and port of each Sentinel; and
        the service.

    Raises:
        InvalidSetting: they cannot be read.
    """
    place, slash, end = rest.partition("?")[0].partition("/")
    query = rest[len(place) + len(slash) + len(end) :]
    login, at, hosts = place.rpartition("@")
    service, _, database = end.partition("/")
    service = decoded(service, "service")
    if not re.fullmatch(r"[\w.-]{1,100}", service, re.ASCII):
        raise refused("without the name of the service", SENTINEL_FORM)
    sentinels = tuple(dict.fromkeys(host_and_port(each, 26_379, query) for each in hosts.split(",")))
    return f"{login}{at}localhost/{database}{query}", sentinels, service


def _name(host: str) -> str:
    """A host's name or IPv4 address, in the letters of DNS."""
    try:
        name = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = "?"
    if not re.fullmatch(r"[\w.-]*", name, re.ASCII):
        raise refused("whose host is not a name or an address")
    return name


def _ipv6(text: str) -> str:
    try:
        address = str(IPv6Address(unquote(text)))
    except ValueError:
        raise refused("whose host is not an IPv6 address") from None
    return address
