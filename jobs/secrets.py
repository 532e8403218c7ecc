"""Keeps passwords out of everything that is printed, logged or published.

An address of Redis is parsed and then masked (`jobs.redis_access.address`). This is the second line of
defence, for the texts that others write: an error of a library, a traceback, a line of a log.
"""

import html
import json
import logging
import re
import traceback
from urllib.parse import quote, quote_plus

from jobs.escape_control import escape_control

MASK = "***"
SHORTEST = 4
"""In characters. A shorter password is part of too many words to be looked for outside addresses."""

_IN_AN_ADDRESS = re.compile(r"(\w{1,20}://[^\s:@/]{0,200}):\S{0,2000}@")
_IN_A_QUERY = re.compile(r"([?&](?:ssl_)?password=)[^&\s'\"]{1,2000}")

_spellings: set[str] = set()
_remembered = re.compile("(?!)")


def remember(secret: str) -> None:
    """Have `hide_secrets` recognise a secret from now on, in each way in which it may be written."""
    global _remembered
    if len(secret) < SHORTEST or secret in _spellings:
        return
    _spellings.update(
        {
            secret,
            quote(secret, safe="", errors="surrogatepass"),
            quote(secret, errors="surrogatepass"),
            quote_plus(secret, errors="surrogatepass"),
            repr(secret)[1:-1],
            repr(secret.encode("utf-8", "surrogatepass"))[2:-1],
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            html.escape(secret),
            escape_control(secret),
        }
    )
    _remembered = re.compile("|".join(map(_alone, sorted(_spellings, key=len, reverse=True))))


def _alone(spelling: str) -> str:
    """A pattern for a secret that is not the middle of a longer word: a password may be a word."""
    before = r"(?<!\w)" if re.match(r"\w", spelling) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", spelling) else ""
    return f"{before}{re.escape(spelling)}{after}"


def hide_secrets(text: str) -> str:
    """Replace each password that was remembered, and whatever is in its place in an address, by `***`."""
    hidden = _remembered.sub(MASK, text)
    return _IN_A_QUERY.sub(rf"\1{MASK}", _IN_AN_ADDRESS.sub(rf"\1:{MASK}@", hidden))


class SecretsFilter(logging.Filter):
    """Lets every record pass, its text and traceback without passwords."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide the secrets in a record."""
        try:
            text = record.getMessage()
        except Exception:  # a wrong format; `logging` would print the arguments to standard error
            text = f"{record.msg!r} {record.args!r}"
            record.msg, record.args = text, ()
        hidden = hide_secrets(text)
        if hidden != text:
            record.msg, record.args = hidden, ()
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            # A formatter writes this text instead of a traceback of its own.
            record.exc_text = hide_secrets("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
        elif record.exc_text:
            record.exc_text = hide_secrets(record.exc_text)
        if record.stack_info:
            record.stack_info = hide_secrets(record.stack_info)
        return True


def hide_in_logs() -> None:
    """Hide secrets in whatever this process logs from now on, by whichever logger and handler.

    A filter on a logger does not see what its children log, and handlers come and go.
    """
    make = logging.getLogRecordFactory()
    if getattr(make, "hides_secrets", False):
        return
    secrets = SecretsFilter()

    def record_without_secrets(*arguments: object, **named: object) -> logging.LogRecord:
        record = make(*arguments, **named)
        secrets.filter(record)
        return record

    record_without_secrets.hides_secrets = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(record_without_secrets)
