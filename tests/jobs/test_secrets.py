"""A password appears in nothing that is printed, logged or published, whatever it is and wherever it stands."""

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis import exceptions

from jobs import secrets
from jobs.cli import tables
from jobs.cli.doctor import redis_checks
from jobs.error_output import print_error
from jobs.errors import QuartetError
from jobs.ledger.connection import connect, in_sentences
from jobs.redis_access.address import masked_url, read_address
from jobs.secrets import hide_in_logs, hide_secrets, remember
from jobs.settings import read_settings

OTHER = "Zq9Zq9Zq9Zq9"
"""A password whose presence in what is printed shows what is printed with any password."""


@pytest.fixture(autouse=True)
def forgotten_afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A password of one test does not change what another one prints."""
    monkeypatch.setattr(secrets, "_spellings", set())
    monkeypatch.setattr(secrets, "_remembered", re.compile("(?!)"))
    factory = logging.getLogRecordFactory()
    read_address.cache_clear()
    yield
    read_address.cache_clear()
    logging.setLogRecordFactory(factory)


def addresses(password: str) -> list[str]:
    """The password in each place of an address where it may stand, encoded as it should be, or not at all."""
    encoded = quote(password, safe="")
    raw = password.replace("\n", "")
    return [
        f"redis://:{encoded}@127.0.0.1:1/0",
        f"redis://user:{encoded}@127.0.0.1:1/0",
        f"redis://127.0.0.1:1/0?password={quote_plus(password)}",
        f"unix://:{encoded}@/nowhere/redis.sock",
        f"rediss://127.0.0.1:1/0?ssl_password={encoded}",
        f"redis://:{raw}@127.0.0.1:1/0",
        f"redis://user:{raw}@127.0.0.1:1/0",
        f"redis://127.0.0.1:1/0?password={raw}",
        f"http://:{raw}@127.0.0.1",
        f"redis://:{raw}",
        raw,
        f"redis://h?{raw}",
        f"redis://h?db={raw}",
        f"redis://h/{raw}",
        f"redis://h#{raw}",
    ]


def all_that_is_written(address: str, password: str, folder: Path) -> str:
    """What each part that prints, logs or publishes says of this address."""
    out, log = io.StringIO(), io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("a.library")
    logger.addHandler(handler)
    try:
        with redirect_stdout(out), redirect_stderr(out):
            out.write(masked_url(address))
            try:
                settings = read_settings(redis_url=address, state_dir=folder)
                url = settings.redis_address()
            except QuartetError as error:
                print_error("quartet", error)
                out.write(json.dumps([error.explanation, error.given, error.expected, error.field]))
                return out.getvalue() + log.getvalue()
            tables.show_settings(settings)
            out.write(repr(settings) + str(settings.shown()) + repr(read_address(url)))
            out.write(json.dumps([vars(check) for check in redis_checks(settings)], ensure_ascii=False))
            for problem in errors(url, password):
                try:
                    with in_sentences(url):
                        raise problem
                except QuartetError as ours:
                    print_error("quartet", ours)
                    out.write(json.dumps(ours.explanation))
            for text in (url, repr(url), url.encode(), {"url": url}, json.dumps(url)):
                logger.warning("cannot connect to %s", text)
            logger.warning(url)
            with suppress(TypeError):
                logger.warning("%d", url)
            try:
                connect(url).ping()
                raise ValueError(url)
            except Exception:
                logger.exception("it failed with %r", password, stack_info=True)
            print_error("quartet", QuartetError(f"celery says {url!r}", hint=f"look at {url}"))
    finally:
        logger.removeHandler(handler)
    return out.getvalue() + log.getvalue()


def errors(url: str, password: str) -> list[Exception]:
    return [
        exceptions.ResponseError(f"unknown command HELLO, with args beginning with: `3` `AUTH` `{password}`"),
        exceptions.ResponseError(f"ERR {password!r}"),
        exceptions.InvalidResponse(f"Protocol Error: {url}"),
        OSError(f"cannot connect to {url}"),
        ValueError(f"{password.encode()!r} is no number"),
    ]


passwords = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=4, max_size=24)
special = st.text(st.sampled_from("#/?@%: &=+'\"\\$<>éß漢🙂aZ09[]{}|^~`"), min_size=4, max_size=24)
with_number = st.builds(lambda a, b: f"12{a}/{b}@?#", special, special)


@given(passwords | special | with_number, st.integers(0, 14))
@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.chaos
def test_a_password_appears_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], password: str, place: int
) -> None:
    hide_in_logs()
    if place in (9, 12, 13) and password.isdecimal():
        return  # the number of a port or of a database
    always = all_that_is_written(addresses(OTHER)[place], OTHER, tmp_path)
    assert OTHER not in always
    written = all_that_is_written(addresses(password)[place], password, tmp_path) + "".join(
        capfd.readouterr()
    )
    for spelling in {password, quote(password, safe=""), repr(password)[1:-1], json.dumps(password)[1:-1]}:
        if spelling not in always and password.strip() == password:
            assert spelling not in written


@given(passwords | special)
@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_password_from_a_file_appears_nowhere(tmp_path: Path, password: str) -> None:
    hide_in_logs()
    file = tmp_path / "password"
    file.write_bytes(b"\xef\xbb\xbf" + password.encode() + b"\r\n")
    settings = read_settings(redis_url="redis://127.0.0.1:1/0", redis_password_file=file, state_dir=tmp_path)
    try:
        url = settings.redis_address()
    except QuartetError as error:  # it cannot be printed
        said = error.explanation.replace(str(file), "")
        assert password.strip() not in said or password.strip() in "which has several lines"
        return
    assert read_address(url).password == password
    written = all_that_is_written(url, password, tmp_path)
    if password not in all_that_is_written(addresses(OTHER)[0], OTHER, tmp_path):
        assert password not in written


def test_an_address_that_nobody_parsed_is_masked_as_well() -> None:
    for text, hidden in [
        ("see amqp://guest:geheim@host/x", "see amqp://guest:***@host/x"),
        ("redis://:ge/h@eim@host/0", "redis://:***@host/0"),
        ("GET /?password=geheim&x=1", "GET /?password=***&x=1"),
        ("w1@here at http://localhost:8000", "w1@here at http://localhost:8000"),
        ("redis://host:6379/0, w1@here", "redis://host:6379/0, w1@here"),
    ]:
        assert hide_secrets(text) == hidden


def test_a_short_password_leaves_words_alone() -> None:
    remember("job")
    assert hide_secrets("job 7 of redis://:job@host") == "job 7 of redis://:***@host"


def test_a_log_is_clean_whichever_handler_writes_it(tmp_path: Path) -> None:
    remember("geheim-9")
    hide_in_logs()
    hide_in_logs()  # twice is as once
    handler = logging.FileHandler(tmp_path / "log.txt")
    logger = logging.getLogger("somebody.else")
    logger.addHandler(handler)
    try:
        logger.error("%s and %d", "geheim-9", "geheim-9")
        logger.error("fine: %s", {"a": "geheim-9"})
        raise RuntimeError("geheim-9")
    except RuntimeError:
        logger.exception("failed")
    finally:
        logger.removeHandler(handler)
        handler.close()
    text = (tmp_path / "log.txt").read_text()
    assert "geheim-9" not in text
    assert text.count("***") >= 4
    assert "RuntimeError: ***" in text


def test_much_text_is_searched_in_little_time() -> None:
    import time

    remember("geheim-9")
    began = time.process_time()
    for text in ("redis://" * 50_000, "a://b:" * 50_000, "?password=" * 50_000, "geheim-" * 50_000):
        hide_secrets(text)
    assert time.process_time() - began < 10
