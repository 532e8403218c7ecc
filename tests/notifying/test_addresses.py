"""Addresses are checked when settings are read, and shown by no one."""

import logging
from pathlib import Path

import pytest

from jobs.errors import InvalidSetting
from jobs.notifying.addresses import MOST_ADDRESSES, Address, read_addresses
from jobs.secrets import hide_in_logs, hide_secrets
from jobs.settings import read_settings

SLACK = "https://hooks.slack.com/services/T0000000/B0000000/XXXXYYYYZZZZ"


def test_addresses_come_from_the_setting_and_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "addresses").write_text(f"{SLACK}\n\njson://user:geheim123@host/path\n")
    settings = read_settings(notify=f"{SLACK} http://host:8080/hook", notify_file=tmp_path / "addresses")
    found = read_addresses(settings)
    assert [address.url for address in found] == [
        SLACK,
        "http://host:8080/hook",
        "json://user:geheim123@host/path",
    ]
    assert [address.is_webhook for address in found] == [True, True, False]
    assert [address.masked for address in found] == [
        "https://hooks.slack.com/***",
        "http://host/***",
        "json://***",
    ]
    assert len({address.id for address in found}) == 3
    assert read_addresses(read_settings()) == ()


def test_no_address_is_shown_logged_or_printed(caplog: pytest.LogCaptureFixture) -> None:
    settings = read_settings(notify=f"{SLACK} tgram://123456789:abcdefgh_ij/87654321")
    assert settings.shown()["notify"] == "https://hooks.slack.com/*** tgram://***"
    read_addresses(settings)
    hide_in_logs()
    logging.getLogger("urllib3").error("POST %s: /services/T0000000/B0000000/XXXXYYYYZZZZ 404", SLACK)
    logging.getLogger("apprise").error("no chat 87654321 for bot123456789:abcdefgh_ij")
    shown = caplog.text + repr(settings) + str(settings.shown()) + repr(read_addresses(settings))
    for secret in ("XXXXYYYYZZZZ", "T0000000", "abcdefgh_ij", "87654321"):
        assert secret not in shown
    said = "hooks.slack.com answers; services are well"
    assert hide_secrets(said) == said
    mail, hook = "mailto://user:geheimnis@host?to=a@b.org", "http://user:verborgen@host:8080/hook"
    read_addresses(read_settings(notify=f"{mail} {hook}"))
    assert hide_secrets("geheimnis of a user, verborgen of the hook") == "*** of a user, *** of the hook"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("hooks.slack.com/geheim123", "addresses like https://host/path, with spaces between them"),
        ("https:///geheim123", "addresses like https://host/path, with spaces between them"),
        ("https://host:geheim123/", "addresses like https://host/path, with spaces between them"),
        ("https://[geheim123/", "addresses like https://host/path, with spaces between them"),
        ("https://host/geheim123\x1b", "addresses of at most 2,000 ASCII characters"),
        ("https://host/" + "geheim123" * 300, "addresses of at most 2,000 ASCII characters"),
        ("https://host/geheim123 " * (MOST_ADDRESSES + 1), "at most 10 addresses"),
    ],
)
def test_what_is_no_address_is_refused_without_being_shown(given: str, expected: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        read_settings(notify=given)
    assert str(caught.value) == f"QUARTET_NOTIFY: expected {expected}, got a value that is not shown"


def test_a_file_that_holds_no_addresses_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "addresses"
    for content, why in [
        (None, "which cannot be read (no such file or directory)"),
        (b"\xff\xfe", "which cannot be read (not text)"),
        (b"\n", "which is empty"),
        (b"geheim123", "which holds something else"),
    ]:
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(InvalidSetting) as caught:
            read_addresses(read_settings(notify_file=file))
        assert (caught.value.field, caught.value.given) == ("QUARTET_NOTIFY_FILE", f"{file}, {why}")


def test_a_rule_names_what_is_told() -> None:
    assert read_settings(notify_on=" sweeps, failed").notify_on == "failed,sweeps"
    with pytest.raises(InvalidSetting) as caught:
        read_settings(notify_on="everything")
    expected = "failed, ended, trials or sweeps, or several of them with commas between"
    assert caught.value.expected == expected


def test_an_address_is_not_in_its_id() -> None:
    assert Address(SLACK).id == Address(SLACK).id != Address(f"{SLACK}x").id
    assert Address(SLACK).id not in SLACK
