"""The options that the query of Redis' address may have, and the values that each accepts.

These are redis-py's that concern the way to the server. What decides how Quartet talks to it (`protocol`,
`decode_responses`, `max_connections`, …) is refused: a worker would fail with it in the middle of a job.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from jobs.redis_access.hosts import decoded
from jobs.redis_access.namespace import ACCEPTS, is_namespace
from jobs.redis_access.refusal import refused
from jobs.secrets import remember


@dataclass(frozen=True)
class Option:
    """One option: what it accepts, in words and as a test of the text, and for which schemes."""

    accepts: str
    valid: Callable[[str], bool]
    schemes: tuple[str, ...] = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")


def _seconds(lowest: float) -> Option:
    def valid(text: str) -> bool:
        try:
            return lowest <= float(text) <= 600 and math.isfinite(float(text)) and "_" not in text
        except ValueError:
            return False

    return Option(f"a number of seconds from {lowest:g} to 600", valid)


def _one_of(*words: str, schemes: tuple[str, ...]) -> Option:
    return Option(f"one of {', '.join(words)}", lambda text: text.lower() in words, schemes)


def _text(accepts: str, schemes: tuple[str, ...] | None = None) -> Option:
    return Option(accepts, bool, schemes or _TLS)


_SENTINEL = ("redis+sentinel", "rediss+sentinel")
_TCP, _TLS = ("redis", "rediss", *_SENTINEL), ("rediss", "rediss+sentinel")
_TRUTH = ("true", "false", "yes", "no", "1", "0")

OPTIONS: dict[str, Option] = {
    # Whatever waits for Redis waits for a second or two, so a shorter timeout would end it.
    "socket_timeout": _seconds(3),
    "socket_connect_timeout": _seconds(0.1),
    "socket_keepalive": _one_of(*_TRUTH, schemes=_TCP),
    "health_check_interval": Option(
        "whole seconds from 0 to 600",
        lambda text: re.fullmatch("[0-9]{1,3}", text) is not None and int(text) <= 600,
    ),
    "ssl_cert_reqs": Option(
        "one of none, optional, required", lambda text: text in ("none", "optional", "required"), _TLS
    ),
    "ssl_check_hostname": _one_of(*_TRUTH, schemes=_TLS),
    "ssl_ca_certs": _text("a file of certificates"),
    "ssl_ca_path": _text("a folder of certificates"),
    "ssl_certfile": _text("the file of a certificate"),
    "ssl_keyfile": _text("the file of a key"),
    "ssl_password": _text("the key's password"),
    "ssl_min_version": Option("771 (TLS 1.2) or 772 (TLS 1.3)", lambda text: text in ("771", "772"), _TLS),
    "ssl_ciphers": _text("OpenSSL's names of ciphers"),
    # Sentinels know other users than the servers that they watch.
    "sentinel_username": _text("the user of the Sentinels", _SENTINEL),
    "sentinel_password": _text("the password of the Sentinels", _SENTINEL),
    # That of `QUARTET_NAMESPACE`, on its way to all that has Redis' address.
    "namespace": Option(ACCEPTS, is_namespace),
}

SECRET_OPTIONS = ("password", "ssl_password", "sentinel_password")

FOREIGN_OPTIONS = (
    "decode_responses", "encoding", "encoding_errors", "protocol", "legacy_responses", "max_connections",
    "timeout", "retry", "retry_on_timeout", "retry_on_error", "client_name", "lib_name", "lib_version",
    "driver_info", "socket_read_size", "socket_keepalive_options", "single_connection_client",
    "credential_provider", "connection_class", "connection_pool", "auto_close_connection_pool", "host",
    "port", "path", "virtual_host", "ssl", "ssl_ca_data", "ssl_include_verify_flags",
    "ssl_exclude_verify_flags", "ssl_validate_ocsp", "ssl_validate_ocsp_stapled", "ssl_ocsp_context",
    "ssl_ocsp_expected_cert",
)  # fmt: skip
"""Options of redis-py and kombu that are refused by name. Any other name may be part of a password."""


def read_options(query: str, scheme: str) -> dict[str, str]:
    """Each option of an address' query -> its value; each stands there once, and is valid.

    Args:
        query: of the address, as it is written.
        scheme: of the address.

    Raises:
        InvalidSetting: one is unknown, not valid, not of this scheme, or there twice.
    """
    found: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        if name in FOREIGN_OPTIONS:
            raise refused(f"with the option {name}, which Quartet does not support", None)
        if not equals or not (name in OPTIONS or name in ("db", "username", "password")):
            raise refused("with an unknown option")
        if name in found:
            raise refused(f"with two options {name}")
        if name in ("password", *SECRET_OPTIONS):
            remember(value)  # as it was written, which a plus sign in it makes another text
        value = decoded(value.replace("+", " "), f"option {name}")
        option = OPTIONS.get(name)
        if option and scheme not in option.schemes:
            raise refused(f"with the option {name}, which {scheme}:// does not support", None)
        if option and not option.valid(value):
            raise refused(f"whose option {name} is not {option.accepts}", None)
        found[name] = value
    return found
