"""TLS on the way to Redis: the files and ciphers that an address names, and why a handshake failed.

Ours, since redis-py reads the files only when it connects, and says of none of them which option named it.
"""

from collections.abc import Iterator
from pathlib import Path
from ssl import (
    PROTOCOL_TLS_CLIENT,
    SSLCertVerificationError,
    SSLContext,
    SSLEOFError,
    SSLError,
    SSLZeroReturnError,
)

from jobs.datasets import shown_path
from jobs.errors import InvalidSetting
from jobs.redis_access.address import RedisAddress
from jobs.redis_access.refusal import FIELD
from jobs.secrets import hide_secrets
from jobs.store.regular_files import read_regular

MOST_BYTES = 10_000_000
"""Of a file of certificates; that of a whole system has 0.2 MB."""

_NEEDS_TLS = "if this server speaks TLS, its address begins with rediss://"
_NO_TLS = "if this server does not speak TLS, its address begins with redis://"
_NEEDS_CLIENT = (
    "if it asks for a client's certificate, name one that it accepts in ssl_certfile and ssl_keyfile"
)
_EXPIRED, _NOT_YET, _OTHER_NAMES = 10, 9, (62, 64)
"""OpenSSL's numbers of what is wrong with a certificate: X509_V_ERR_CERT_HAS_EXPIRED, …"""


def check_options(address: RedisAddress) -> None:
    """Check that the files of an address can be read and fit together, and that its ciphers exist.

    Args:
        address: any address; one without TLS has none of these options.

    Raises:
        InvalidSetting: one cannot be used; the message names the option, and no password.
    """
    options = dict(address.options)
    for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"):
        if name in options:
            _check_file(name, options[name])
    if "ssl_ca_path" in options and not Path(options["ssl_ca_path"]).is_dir():
        raise _unusable("ssl_ca_path", "a folder of certificates", _path(options["ssl_ca_path"]))
    for name in ("ssl_ca_certs", "ssl_certfile"):
        if name in options and not _loads_certificates(options[name]):
            given = f"{_path(options[name])}, which holds none"
            raise _unusable(name, "a file with a certificate in PEM", given)
    _check_key(options)
    if "ssl_ciphers" in options:
        try:
            _context().set_ciphers(options["ssl_ciphers"])
        except SSLError:
            raise _unusable("ssl_ciphers", "ciphers of OpenSSL", "names that it does not know") from None


def reason(error: BaseException, scheme: str) -> tuple[str, str | None] | None:
    """Why TLS did not come about, as far as an error shows it; None where it is not TLS' fault.

    Args:
        error: of redis-py.
        scheme: of the address.

    Returns:
        The reason for a sentence, and how to fix it.
    """
    for cause in _chain(error):
        if _is_closed(cause) and scheme != "unix":
            return "the server closed the connection", _NEEDS_TLS if scheme == "redis" else _NEEDS_CLIENT
        if isinstance(cause, SSLCertVerificationError):
            return _distrust(cause)
        if isinstance(cause, SSLError):
            return _refusal(cause)
        if scheme == "rediss" and isinstance(cause, TimeoutError) and "handshake" in str(cause):
            return "TLS: the server did not answer the handshake", _NO_TLS
        if scheme == "rediss" and isinstance(cause, FileNotFoundError | PermissionError | IsADirectoryError):
            why = (cause.strerror or "unreadable").lower()
            return f"TLS: a file that the address names cannot be read, {why}", "restore that file"
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        yield cause
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__


def _is_closed(error: BaseException) -> bool:
    kinds = (SSLEOFError, SSLZeroReturnError, ConnectionResetError, BrokenPipeError)
    return isinstance(error, kinds) or str(error).startswith("Connection closed by server")


def _distrust(error: SSLCertVerificationError) -> tuple[str, str]:
    """Why the server's certificate is not accepted."""
    fix = "name in ssl_ca_certs the certificate of the authority that signed the server's"
    if error.verify_code in (_EXPIRED, _NOT_YET):
        fix = "give the server a certificate that is valid today, or set this machine's clock"
    if error.verify_code in _OTHER_NAMES:
        fix = "name the server in the address as its certificate does"
    return f"TLS: the server's certificate is refused, {error.verify_message.rstrip('.')}", fix


def _refusal(error: SSLError) -> tuple[str, str | None]:
    """What OpenSSL, or the server by an alert, says of a handshake."""
    said = (error.reason or str(error.args[-1])).replace("_", " ").lower()
    if "wrong version number" in said or "record layer failure" in said or "http request" in said:
        return f"TLS: {said}", _NO_TLS
    if "certificate" in said or "unknown ca" in said:
        return f"TLS: {said}", _NEEDS_CLIENT
    return f"TLS: {said}", None


def _check_file(name: str, path: str) -> None:
    try:
        read_regular(Path(path), MOST_BYTES, follow=True)
    except (OSError, ValueError) as error:  # ValueError: a NUL
        why = ((isinstance(error, OSError) and error.strerror) or "not a valid path").lower()
        raise _unusable(name, "a file that can be read", f"{_path(path)} ({why})") from None


def _loads_certificates(path: str) -> bool:
    try:
        _context().load_verify_locations(cafile=path)
    except (OSError, ValueError):  # SSLError is an OSError
        return False
    return True


def _check_key(options: dict[str, str]) -> None:
    """Check the key: alone in its file or beside the certificate, and the certificate's own."""
    certificate, key = options.get("ssl_certfile"), options.get("ssl_keyfile")
    if certificate is None:
        if key is not None:
            raise _unusable("ssl_certfile", "the certificate of ssl_keyfile", "no such option")
        return
    try:
        # Without a password OpenSSL would ask for one on the terminal.
        _context().load_cert_chain(certificate, key, password=options.get("ssl_password", ""))
    except (OSError, ValueError) as error:
        name, path = ("ssl_keyfile", key) if key is not None else ("ssl_certfile", certificate)
        if "MISMATCH" in str(getattr(error, "reason", "")):
            raise _unusable(name, "the key of ssl_certfile", f"that of another, {_path(path)}") from None
        given = f"{_path(path)}, which holds none" + (" that ssl_password opens" if _locked(path) else "")
        raise _unusable(name, "a file with the certificate's key in PEM", given) from None


def _locked(path: str) -> bool:
    return b"ENCRYPTED" in read_regular(Path(path), MOST_BYTES, follow=True)


def _context() -> SSLContext:
    return SSLContext(PROTOCOL_TLS_CLIENT)


def _path(path: str) -> str:
    return hide_secrets(shown_path(path))


def _unusable(option: str, expected: str, given: str) -> InvalidSetting:
    return InvalidSetting(FIELD, expected=f"{expected} as its option {option}", given=given)
