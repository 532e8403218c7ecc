"""Each form of an address that redis-py documents is read as redis-py reads it, or refused in one sentence."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.connection import SSLConnection, UnixDomainSocketConnection, parse_url

from jobs.errors import InvalidSetting
from jobs.redis_access.address import masked_url, read_address, socket_address, with_namespace

SENTENCE = "QUARTET_REDIS_URL: expected the address of one Redis, such as redis://user:password@host:6379/0, got one "


@pytest.mark.parametrize(
    ("text", "url", "masked"),
    [
        ("redis://", "redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://host", "redis://host:6379/0", "redis://host:6379/0"),
        ("redis://HOST:7/3", "redis://host:7/3", "redis://host:7/3"),
        ("redis://host?db=3", "redis://host:6379/3", "redis://host:6379/3"),
        ("redis://host/3?db=3", "redis://host:6379/3", "redis://host:6379/3"),
        ("redis://:geheim@host", "redis://:geheim@host:6379/0", "redis://:***@host:6379/0"),
        ("redis://u:geheim@host", "redis://u:geheim@host:6379/0", "redis://u:***@host:6379/0"),
        ("redis://host?password=geheim", "redis://:geheim@host:6379/0", "redis://:***@host:6379/0"),
        ("redis://host?username=u&password=g+h", "redis://u:g%20h@host:6379/0", "redis://u:***@host:6379/0"),
        ("redis://u@host?password=geheim", "redis://u:geheim@host:6379/0", "redis://u:***@host:6379/0"),
        ("redis://geheim@host", "redis://geheim@host:6379/0", "redis://***@host:6379/0"),
        ("redis://:ge@h%23eim@host", "redis://:ge%40h%23eim@host:6379/0", "redis://:***@host:6379/0"),
        ("redis://:50%off@host", "redis://:50%25off@host:6379/0", "redis://:***@host:6379/0"),
        ("redis://[::1]:7/2", "redis://[::1]:7/2", "redis://[::1]:7/2"),
        ("redis://[FE80:0::1%25eth0]", "redis://[fe80::1%25eth0]:6379/0", "redis://[fe80::1%25eth0]:6379/0"),
        ("rediss://host", "rediss://host:6379/0", "rediss://host:6379/0"),
        (
            "rediss://host?ssl_cert_reqs=none&ssl_password=geheim",
            "rediss://host:6379/0?ssl_cert_reqs=none&ssl_password=geheim",
            "rediss://host:6379/0?ssl_cert_reqs=none&ssl_password=***",
        ),
        ("redis://host?socket_timeout=5", *["redis://host:6379/0?socket_timeout=5"] * 2),
        ("unix:///run/r.sock", "unix:///run/r.sock", "unix:///run/r.sock"),
        ("unix:///run/r.sock?db=2", "unix:///run/r.sock?db=2", "unix:///run/r.sock?db=2"),
        ("unix://u:geheim@/a%20b", "unix://u:geheim@/a%20b", "unix://u:***@/a%20b"),
        ("unix://u@/s?db=1&password=geheim", "unix://u:geheim@/s?db=1", "unix://u:***@/s?db=1"),
        ("  redis://host\n", "redis://host:6379/0", "redis://host:6379/0"),
    ],
)
def test_a_documented_form_is_read_as_redis_py_reads_it(text: str, url: str, masked: str) -> None:
    address = read_address(text)
    assert (address.url, address.masked, masked_url(text)) == (url, masked, masked)
    assert read_address(url) == address
    theirs = {"db": 0, **({} if address.path else {"host": "localhost", "port": 6379})} | parse_url(
        text.strip()
    )
    theirs |= {"host": theirs["host"].lower()} if "host" in theirs else {}
    ours = address.connection_arguments()
    if "FE80" not in text:
        assert ours == {**theirs, **({"port": 6379} if "port" not in theirs and not address.path else {})}
    assert "geheim" not in repr(address) + str(address.masked) or "geheim@" in text


@pytest.mark.parametrize(
    ("text", "url", "masked"),
    [
        ("redis+sentinel://a/main", *["redis+sentinel://a:26379/main/0"] * 2),
        ("redis+sentinel://a:1,B,a:1/main/2", *["redis+sentinel://a:1,b:26379/main/2"] * 2),
        (
            "redis+sentinel://u:geheim@[::1]:7,[::2]/main?db=3",
            "redis+sentinel://u:geheim@[::1]:7,[::2]:26379/main/3",
            "redis+sentinel://u:***@[::1]:7,[::2]:26379/main/3",
        ),
        (
            "rediss+sentinel://a/main?sentinel_password=geheim&ssl_ca_certs=/ca",
            "rediss+sentinel://a:26379/main/0?sentinel_password=geheim&ssl_ca_certs=/ca",
            "rediss+sentinel://a:26379/main/0?sentinel_password=***&ssl_ca_certs=/ca",
        ),
        ("redis://host/1?namespace=lab", *["redis://host:6379/1?namespace=lab"] * 2),
        ("unix:///s?namespace=lab&db=2", *["unix:///s?db=2&namespace=lab"] * 2),
    ],
)
def test_what_redis_py_has_no_form_for_is_read_and_masked(text: str, url: str, masked: str) -> None:
    address = read_address(text)
    assert (address.url, address.masked, masked_url(text)) == (url, masked, masked)
    assert read_address(url) == address
    assert not {"namespace", "sentinel_password"} & address.connection_arguments().keys()
    assert ("host" in address.connection_arguments()) == text.startswith("redis://")
    assert "geheim" not in repr(address)


@pytest.mark.parametrize("namespace", ["quartet", "Lab", "a_b", "a*", "-a", "a" * 41, "a:b", ""])
def test_a_namespace_that_a_pattern_of_rights_could_mistake_is_refused(namespace: str) -> None:
    with pytest.raises(InvalidSetting, match="namespace"):
        read_address(f"redis://host?namespace={namespace}")


def test_two_namespaces_for_one_redis_are_refused() -> None:
    address = read_address("redis://host?namespace=lab")
    assert with_namespace(address, "") == with_namespace(address, "lab") == address
    with pytest.raises(InvalidSetting, match=r"QUARTET_NAMESPACE: expected lab, .*, got other"):
        with_namespace(address, "other")


def test_each_scheme_has_its_kind_of_connection() -> None:
    assert read_address("rediss://h").connection_arguments()["connection_class"] is SSLConnection
    assert read_address("unix:///s").connection_arguments()["connection_class"] is UnixDomainSocketConnection
    assert "connection_class" not in read_address("redis://h").connection_arguments()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "that does not begin with redis://, rediss://, redis+sentinel:// or unix://"),
        ("geheim", "that does not begin with redis://, rediss://, redis+sentinel:// or unix://"),
        ("host:6379", "that does not begin with redis://, rediss://, redis+sentinel:// or unix://"),
        ("http://:geheim@host", "that does not begin with redis://, rediss://, redis+sentinel:// or unix://"),
        (
            "REDIS://:geheim@host",
            "that does not begin with redis://, rediss://, redis+sentinel:// or unix://",
        ),
        (
            "\ufeffredis://:geheim@host",
            "with a character that cannot be printed, such as a line break or a byte-order mark",
        ),
        (
            "redis://:geh\neim@host",
            "with a character that cannot be printed, such as a line break or a byte-order mark",
        ),
        (
            "redis://:geh\udcffeim@host",
            "with a character that cannot be printed, such as a line break or a byte-order mark",
        ),
        ("sentinel://:geheim@host", "of Sentinel in another program's form"),
        ("redis+sentinel://:geheim@host", "without the name of the service"),
        ("redis+sentinel://:geheim@host/", "without the name of the service"),
        ("redis+sentinel://:geheim@a,b/a%20b", "without the name of the service"),
        ("redis+sentinel://:geheim@a,b/main/x", "whose database is not a whole number"),
        ("redis+sentinel://:geheim@a,b:0/main", "whose port is not a number from 1 to 65,535"),
        ("redis+sentinel://:ge/heim@a,b/main", "without the name of the service"),
        (
            "redis://host?namespace=Geheim",
            "whose option namespace is not up to 40 lower-case letters, digits and hyphens, other than quartet",
        ),
        (
            "redis://host?sentinel_password=geheim",
            "with the option sentinel_password, which redis:// does not support",
        ),
        ("redis-cluster://:geheim@host", "of a cluster"),
        ("redis://:ge#heim@host", "with a #"),
        ("redis://:ge/heim@host", "whose database is not a whole number"),
        ("redis://:1/heim@host", "whose database is not a whole number"),
        ("redis://:1?heim@host", "with an unknown option"),
        ("redis://:1?password=heim@host", "with an @ after its end"),
        ("redis://:ge%ffheim@host", "with a % in the password that encodes no character"),
        ("redis://geheim:x", "whose host or port cannot be read"),
        ("redis://host:0", "whose port is not a number from 1 to 65,535"),
        ("redis://host:65536", "whose port is not a number from 1 to 65,535"),
        ("redis://host:-1", "whose host or port cannot be read"),
        ("redis://host:" + "1" * 5000, "whose port is not a number from 1 to 65,535"),
        ("redis://a,b", "with several hosts"),
        ("redis://:geheim@a:1,b:2/0", "with several hosts"),
        ("redis://a b", "whose host is not a name or an address"),
        ("redis://a..b", "whose host is not a name or an address"),
        (f"redis://{'x' * 70}", "whose host is not a name or an address"),
        ("redis://ho%2Fst", "whose host is not a name or an address"),
        ("redis://[::g]", "whose host cannot be read"),
        ("redis://[::1", "whose host cannot be read"),
        ("redis://[::1]x", "whose host or port cannot be read"),
        ("redis://:geheim@ho℀st", "whose host cannot be read"),
        ("redis://host/-1", "whose database is not a whole number"),
        ("redis://host/x", "whose database is not a whole number"),
        ("redis://host/1/2", "whose database is not a whole number"),
        ("redis://host/1_0", "whose database is not a whole number"),
        ("redis://host/" + "9" * 5000, "whose database is not a whole number"),
        ("redis://host?db=x", "whose database is not a whole number"),
        ("redis://host/1?db=2", "with two different databases"),
        ("redis://host?db=1&db=1", "with two options db"),
        ("redis://:a@host?password=b", "with two different passwords"),
        ("redis://a@host?username=b", "with two different users"),
        (
            "redis://host?decode_responses=True",
            "with the option decode_responses, which Quartet does not support",
        ),
        ("redis://host?protocol=2", "with the option protocol, which Quartet does not support"),
        ("redis://host?max_connections=1", "with the option max_connections, which Quartet does not support"),
        ("redis://host?virtual_host=1", "with the option virtual_host, which Quartet does not support"),
        ("redis://host?pasword=geheim", "with an unknown option"),
        (
            "redis://host?socket_timeout=0.1",
            "whose option socket_timeout is not a number of seconds from 3 to 600",
        ),
        (
            "redis://host?socket_timeout=nan",
            "whose option socket_timeout is not a number of seconds from 3 to 600",
        ),
        ("redis://host?ssl_cert_reqs=none", "with the option ssl_cert_reqs, which redis:// does not support"),
        (
            "rediss://host?ssl_cert_reqs=CERT_NONE",
            "whose option ssl_cert_reqs is not one of none, optional, required",
        ),
        ("unix://run/r.sock", "whose socket has no absolute path, as in unix:///run/redis.sock"),
        ("unix://", "whose socket has no absolute path, as in unix:///run/redis.sock"),
        ("unix:///a%00b", "whose socket has no absolute path, as in unix:///run/redis.sock"),
        ("unix:///a?b", "with an unknown option"),
        ("redis://" + "x" * 9000, "of more than 8,000 characters"),
    ],
)
def test_every_other_form_is_refused_in_one_sentence_that_shows_nothing_of_it(text: str, why: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        read_address(text)
    # Python 3.13 finds out a moment earlier what is wrong with some of them.
    assert str(caught.value).replace("host or port", "host") == SENTENCE + why.replace("host or port", "host")
    assert caught.value.exit_code == 2
    assert not re.search("geh|heim", caught.value.explanation)
    assert masked_url(text) == "an address that is not valid"


def test_the_sentence_has_no_cause_that_would_show_it() -> None:
    with pytest.raises(InvalidSetting) as caught:
        read_address("redis://:geheim@ho℀st")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


printable = st.text(st.characters(codec="utf-8"), max_size=20).filter(str.isprintable)
anything = st.text(max_size=60)


@given(user=printable, password=printable, database=st.integers(0, 15), port=st.integers(1, 65_535))
def test_what_is_percent_encoded_comes_back_as_it_was(
    user: str, password: str, database: int, port: int
) -> None:
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@"
    for text in (f"redis://{login}host:{port}/{database}", f"unix://{login}/run/x?db={database}"):
        address = read_address(text)
        assert (address.user, address.password, address.database) == (user, password, database)
        arguments = address.connection_arguments()
        assert (arguments.get("username", ""), arguments.get("password", "")) == (user, password)
        assert arguments["db"] == database


@given(anything, st.sampled_from(["", "redis://", "redis://:", "rediss://h?", "unix://", "redis://h/"]))
def test_whatever_is_given_is_read_or_refused(text: str, scheme: str) -> None:
    try:
        address = read_address(scheme + text)
    except InvalidSetting:
        return
    assert read_address(address.url) == address
    arguments = address.connection_arguments()
    assert arguments["db"] == address.database
    if not address.path:
        assert (arguments["host"], arguments["port"]) == (address.host, address.port)


@given(st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name))
def test_a_socket_may_have_any_path(name: bytes) -> None:
    path = Path("/tmp") / name.decode("utf-8", "surrogateescape").strip("/")
    address = read_address(socket_address(path))
    assert Path(address.path) == path
    if path.as_posix().isascii():
        assert address.connection_arguments()["path"] == str(path)
