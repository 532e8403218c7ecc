"""Sends one message to one address."""

from typing import Any

from jobs.errors import InvalidSetting, NotDelivered
from jobs.notifying.addresses import Address


def deliver(address: Address, message: dict[str, Any]) -> None:
    """Send a message: to a webhook as JSON, to any other address its title and text, by apprise.

    Args:
        address: where to.
        message: as `jobs.notifying.message` writes it.

    Raises:
        NotDelivered: it was not taken.
        InvalidSetting: apprise does not understand the address.
    """
    if address.is_webhook:
        from jobs.notifying.webhook import post

        post(address, message)
        return
    import apprise

    sender = apprise.Apprise()
    if not sender.add(address.url):
        raise InvalidSetting(
            "QUARTET_NOTIFY",
            expected="addresses that apprise knows",
            given=address.masked,
            hint="https://github.com/caronc/apprise/wiki lists them",
        )
    text = message["text"]
    if not sender.notify(title=message["title"], body=text, body_format=apprise.NotifyFormat.TEXT):
        raise NotDelivered(f"{address.masked} does not take it, says apprise", answered=True)
