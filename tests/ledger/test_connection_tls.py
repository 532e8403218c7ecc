"""What is wrong with TLS on the way to Redis is said, with the option or the certificate to blame.

The certificates are OpenSSL's, and the servers are real.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from jobs.cli.doctor import redis_checks
from jobs.errors import InvalidSetting, RedisUnreachable
from jobs.ledger.connection import connect, in_sentences
from jobs.settings import read_settings
from tests.support.certificates import Certificates, TlsServers
from tests.support.redis_servers import Servers


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = Certificates(tmp_path_factory.mktemp("tls") / "certificates")
    made.authority("ca")
    made.authority("other")
    made.signed("server", "IP:127.0.0.1")
    made.signed("elsewhere", "DNS:elsewhere.example")
    made.signed("expired", "IP:127.0.0.1", days=0)
    made.signed("client", "DNS:client.example")
    made.signed("stranger", "DNS:stranger.example", authority="other")
    made.lock_key("client", "geheim")
    (made.folder / "junk").write_text("no certificate")
    (made.folder / "empty").touch()
    return made


@pytest.fixture(scope="module")
def ports(certificates: Certificates) -> Iterator[dict[str, str]]:
    """The host and port of a server for each certificate, and of one that asks for a client's."""
    servers = TlsServers(certificates.folder)
    try:
        found = {name: servers.start_tls(*certificates.server_options(name))
                 for name in ("server", "elsewhere", "expired")}  # fmt: skip
        found["strict"] = servers.start_tls(*certificates.server_options("server", clients="yes"))
        yield found
    finally:
        servers.end()


def address(where: str, certificates: Certificates, **options: str) -> str:
    """An address with options; those that name a file name one among the certificates."""
    files = {name: value for name, value in options.items() if name.endswith(("file", "certs", "path"))}
    options |= {name: str(certificates.folder / value) for name, value in files.items()}
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"rediss://{where}/0?{query}"


CLIENT = {"ssl_certfile": "client.crt", "ssl_keyfile": "client.key"}


@pytest.mark.parametrize("options", [{}, {"ssl_ciphers": "ECDHE+AESGCM"}, CLIENT])
def test_a_server_whose_certificate_is_trusted_answers(
    certificates: Certificates, ports: dict[str, str], options: dict[str, str]
) -> None:
    server = "strict" if options == CLIENT else "server"
    url = address(ports[server], certificates, ssl_ca_certs="ca.crt", **options)
    assert connect(url).ping()


def test_a_key_that_the_password_opens_is_used(certificates: Certificates, ports: dict[str, str]) -> None:
    options = {"ssl_certfile": "client.crt", "ssl_keyfile": "client-locked.key", "ssl_password": "geheim"}
    assert connect(address(ports["strict"], certificates, ssl_ca_certs="ca.crt", **options)).ping()


@pytest.mark.parametrize(
    ("server", "options", "said", "fix"),
    [
        ("server", {"ssl_ca_certs": "other.crt"}, "certificate is refused, (self.signed|unable)", "ssl_ca_certs"),
        ("server", {}, "certificate is refused, (self.signed|unable)", "ssl_ca_certs"),
        ("expired", {"ssl_ca_certs": "ca.crt"}, "certificate has expired", "a certificate that is valid today"),
        ("elsewhere", {"ssl_ca_certs": "ca.crt"}, "is not valid for '127.0.0.1'", "as its certificate does"),
        ("strict", {"ssl_ca_certs": "ca.crt"}, "certificate required|handshake failure|closed", "ssl_certfile"),
        (
            "strict",
            {"ssl_ca_certs": "ca.crt", "ssl_certfile": "stranger.crt", "ssl_keyfile": "stranger.key"},
            "unknown ca|certificate|closed",
            "ssl_certfile",
        ),
    ],
)  # fmt: skip
def test_why_a_handshake_failed_is_said_with_what_to_do(
    certificates: Certificates,
    ports: dict[str, str],
    server: str,
    options: dict[str, str],
    said: str,
    fix: str,
) -> None:
    url = address(ports[server], certificates, **options).replace("rediss://", "rediss://:geheim@")
    with pytest.raises(RedisUnreachable) as caught, in_sentences(url):
        connect(url).ping()
    assert caught.value.exit_code == 3
    assert re.search(rf"\((TLS|the server).*({said}).*\)$", str(caught.value)), str(caught.value)
    assert fix in str(caught.value.hint)
    assert "geheim" not in caught.value.explanation
    assert "_ssl.c" not in caught.value.explanation


@pytest.mark.parametrize(
    ("options", "named", "given"),
    [
        ({"ssl_ca_certs": "missing"}, "ssl_ca_certs", r"missing \(no such file or directory\)"),
        ({"ssl_ca_certs": "."}, "ssl_ca_certs", "not a regular file"),
        ({"ssl_ca_certs": "junk"}, "ssl_ca_certs", "junk, which holds none"),
        ({"ssl_ca_certs": "empty"}, "ssl_ca_certs", "empty, which holds none"),
        ({"ssl_ca_certs": "ca.key"}, "ssl_ca_certs", "ca.key, which holds none"),
        ({"ssl_ca_path": "missing"}, "ssl_ca_path", "missing"),
        (CLIENT | {"ssl_certfile": "missing"}, "ssl_certfile", "no such file"),
        (CLIENT | {"ssl_certfile": "junk"}, "ssl_certfile", "junk, which holds none"),
        (CLIENT | {"ssl_keyfile": "missing"}, "ssl_keyfile", "no such file"),
        (CLIENT | {"ssl_keyfile": "junk"}, "ssl_keyfile", "junk, which holds none"),
        (CLIENT | {"ssl_keyfile": "server.key"}, "ssl_keyfile", "that of another"),
        (CLIENT | {"ssl_keyfile": "client-locked.key"}, "ssl_keyfile", "that ssl_password opens"),
        (
            CLIENT | {"ssl_keyfile": "client-locked.key", "ssl_password": "wrongone"},
            "ssl_keyfile",
            "that ssl_password opens",
        ),
        ({"ssl_certfile": "client.crt"}, "ssl_certfile", "client.crt, which holds none"),
        ({"ssl_keyfile": "client.key"}, "ssl_certfile", "no such option"),
        ({"ssl_ciphers": "NONSENSE"}, "ssl_ciphers", "names that it does not know"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_before_anything_is_sent(
    certificates: Certificates, options: dict[str, str], named: str, given: str
) -> None:
    url = address("127.0.0.1:1", certificates, **options)
    with pytest.raises(InvalidSetting) as caught, in_sentences(url):
        connect(url).ping()
    assert (caught.value.exit_code, caught.value.field) == (2, "QUARTET_REDIS_URL")
    assert caught.value.expected.endswith(f"as its option {named}")
    assert re.search(given, caught.value.given), caught.value.given
    assert "wrongone" not in caught.value.explanation


def test_a_file_that_is_taken_away_later_is_said_and_may_come_back(
    certificates: Certificates, ports: dict[str, str]
) -> None:
    ours = certificates.folder / "mine.crt"
    ours.write_bytes((certificates.folder / "ca.crt").read_bytes())
    url = address(ports["server"], certificates, ssl_ca_certs="mine.crt")
    client = connect(url)
    assert client.ping()
    client.connection_pool.disconnect()
    ours.rename(ours.with_suffix(".away"))
    with pytest.raises(RedisUnreachable, match="no such file or directory"), in_sentences(url):
        client.ping()
    ours.with_suffix(".away").rename(ours)
    assert client.ping()


def test_an_address_without_tls_to_a_server_with_tls_says_so(ports: dict[str, str]) -> None:
    url = f"redis://{ports['server']}/0"
    with (
        pytest.raises(RedisUnreachable, match=r"\(the server closed the connection\)$") as caught,
        in_sentences(url),
    ):
        connect(url).ping()
    assert "begins with rediss://" in str(caught.value.hint)


def test_an_address_with_tls_to_a_server_without_says_so(tmp_path: Path) -> None:
    servers = Servers(tmp_path)
    try:
        url = servers.start().replace("redis://", "rediss://")
        with pytest.raises(RedisUnreachable, match="TLS: ") as caught, in_sentences(url):
            connect(url, answer_seconds=1.0).ping()
        assert "begins with redis://" in str(caught.value.hint)
    finally:
        servers.end()


def test_the_doctor_names_the_certificate_and_not_a_server_to_start(ports: dict[str, str]) -> None:
    settings = read_settings(redis_url=SecretStr(f"rediss://{ports['server']}/0"))
    [check] = redis_checks(settings)
    assert not check.passed
    assert "certificate is refused" in check.finding
    assert "ssl_ca_certs" in check.fix
    assert "quartet up" not in check.fix
