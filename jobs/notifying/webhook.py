"""Posts a message to a webhook as JSON."""

import json
from base64 import b64encode
from http.client import HTTPException
from importlib.metadata import version
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from jobs.errors import NotDelivered
from jobs.escape_control import escape_line
from jobs.notifying.addresses import Address
from jobs.secrets import hide_secrets

PATIENCE_SECONDS = 10.0
"""For a connection, and for each part of an answer."""

LONGEST_REASON = 200


class _NoRedirect(HTTPRedirectHandler):
    """Takes a redirection for a refusal: whoever answers shall not choose where Quartet connects to."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def post(address: Address, message: dict[str, Any]) -> None:
    """Send a message; an answer's status alone is read.

    Args:
        address: of a webhook.
        message: as JSON.

    Raises:
        NotDelivered: nobody answers, or not by a status of 200 to 299.
    """
    parts = urlsplit(address.url)
    headers = {"Content-Type": "application/json", "User-Agent": f"quartet/{version('quartet')}"}
    user, at, host = parts.netloc.rpartition("@")
    if at:
        headers["Authorization"] = f"Basic {b64encode(unquote(user).encode()).decode()}"
    url = parts._replace(netloc=host, fragment="").geturl()
    try:
        request = Request(url, json.dumps(message).encode(), headers, method="POST")
        with build_opener(_NoRedirect()).open(request, timeout=PATIENCE_SECONDS):
            return
    except HTTPError as error:
        error.close()
        raise NotDelivered(f"{address.masked} answers {error.code}", answered=True) from None
    except (OSError, HTTPException, ValueError) as error:
        reason = escape_line(hide_secrets(str(getattr(error, "reason", error)) or type(error).__name__))
        sentence = f"{address.masked} cannot be reached ({reason[:LONGEST_REASON]})"
        raise NotDelivered(sentence, answered=False) from None
