"""One message to one address: what counts as taken, and what an address may make Quartet do."""

import socket
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.errors import InvalidSetting, NotDelivered
from jobs.notifying import webhook as posting
from jobs.notifying.addresses import Address
from jobs.notifying.delivery import deliver
from jobs.notifying.message import sample_message
from tests.notifying.webhook_server import webhook
from tests.support.certificates import Certificates

SAMPLE = sample_message(1_800_000_000_000)


def test_a_webhook_gets_json_and_the_password_of_its_address() -> None:
    with webhook() as hook:
        deliver(Address(hook.url.replace("://", "://user:ge%3Aheim@")), SAMPLE)
    assert hook.messages == [SAMPLE]
    assert SAMPLE["id"] == "test::1800000000000"
    assert SAMPLE["schema"] == 1
    assert SAMPLE["time"] == "2027-01-15T08:00:00.000Z"
    assert hook.headers[0]["Content-Type"] == "application/json"
    assert hook.headers[0]["Authorization"] == "Basic dXNlcjpnZTpoZWlt"


def test_a_webhook_by_tls_needs_a_certificate_that_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = Certificates(tmp_path / "tls")
    authority, server = certificates.authority("ca"), certificates.signed("server", "IP:127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(server, server.with_suffix(".key"))
    with webhook(tls=tls) as hook:
        address = Address(hook.url.replace("http:", "https:"))
        with pytest.raises(NotDelivered, match="CERTIFICATE_VERIFY_FAILED"):
            deliver(address, SAMPLE)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        deliver(address, SAMPLE)
    assert hook.messages == [SAMPLE]


@pytest.mark.parametrize("status", [302, 307, 400, 404, 500])
def test_only_an_answer_of_200_to_299_counts_and_no_redirection_is_followed(status: int) -> None:
    with webhook() as other, webhook(lambda _: status) as hook:
        hook.location = other.url
        with pytest.raises(NotDelivered) as caught:
            deliver(Address(hook.url), SAMPLE)
    assert str(caught.value) == f"http://127.0.0.1/*** answers {status}"
    assert (caught.value.answered, other.messages) == (True, [])


def test_an_address_where_nobody_listens_or_speaks_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "PATIENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = Address(f"http://127.0.0.1:{silent.getsockname()[1]}/T0PSECRET")
        began = time.monotonic()
        with pytest.raises(NotDelivered, match=r"cannot be reached \(.*timed out\)") as caught:
            deliver(address, SAMPLE)
        assert time.monotonic() - began < 20
    assert not caught.value.answered
    with pytest.raises(NotDelivered, match="refused"):
        deliver(address, SAMPLE)


def test_an_answer_without_end_is_not_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def pour() -> None:
            with server.accept()[0] as connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    connection.sendall(b"x" * 65_536)
            ended.set()

        threading.Thread(target=pour, daemon=True).start()
        deliver(Address(f"http://127.0.0.1:{server.getsockname()[1]}/"), SAMPLE)
        assert ended.wait(5)


@pytest.mark.parametrize(("scheme", "first", "then"), [
    ("http", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ("http", b"HTTP/1.1 200 OK\r\nServer: ", b"x"),
    ("https", b"\x16\x03\x03\x40\x00", b"\x02"),  # a record of TLS's handshake
])  # fmt: skip
def test_an_answer_that_comes_drop_by_drop_is_left_in_time(
    scheme: str, first: bytes, then: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "PATIENCE_SECONDS", 0.5)
    left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            with server.accept()[0] as connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(first)
                while True:
                    time.sleep(0.05)
                    connection.sendall(then)
            left.set()

        threading.Thread(target=drip, daemon=True).start()
        address = Address(f"{scheme}://127.0.0.1:{server.getsockname()[1]}/T0PSECRET")
        with pytest.raises(NotDelivered, match=r"cannot be reached \(timed out\)") as caught:
            deliver(address, SAMPLE)
        assert not caught.value.answered
        assert left.wait(5)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_other_addresses_are_those_of_apprise() -> None:
    with webhook() as hook:
        deliver(Address(f"json://127.0.0.1:{hook.port}/T0PSECRETTOKEN"), SAMPLE)
        hook.answer = lambda _: 500
        with pytest.raises(NotDelivered, match=r"^json://\*\*\* does not take it, says apprise$"):
            deliver(Address(f"json://127.0.0.1:{hook.port}/T0PSECRETTOKEN"), SAMPLE)
    assert hook.messages[0]["title"] == "Quartet can reach you"
    assert "This is a test." in hook.messages[0]["message"]
    with pytest.raises(InvalidSetting) as caught:
        deliver(Address("nothing://T0PSECRET"), SAMPLE)
    assert caught.value.given == "nothing://***"
