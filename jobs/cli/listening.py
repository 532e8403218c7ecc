"""Options that say where a command listens, and the socket that does."""

import os
import re
import socket
from collections.abc import Callable
from typing import Any, TypeVar

import click

from jobs.errors import InvalidInput
from jobs.wording import shown

_Function = TypeVar("_Function", bound=Callable[..., Any])

host_option = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="address to listen on; in a container 0.0.0.0, and Docker publishes it on 127.0.0.1",
)


def _port(context: click.Context, parameter: click.Parameter, given: str) -> int:  # noqa: ARG001 - click's
    if not re.fullmatch(r"[0-9]{1,5}", given) or int(given) > 65535:
        raise InvalidInput("port", expected="an integer from 0 to 65535", given=shown(given))
    return int(given)


def port_option(default: int) -> Callable[[_Function], _Function]:
    """The option `--port`.

    Args:
        default: the usual port.
    """
    return click.option(
        "--port",
        metavar="INTEGER",
        callback=_port,
        default=str(default),
        show_default=True,
        help="port to listen on; 0: any that is free",
    )


def listen(host: str, port: int) -> socket.socket:
    """Take an address.

    Args:
        host: an address of this machine, or its name.
        port: 0 for any that is free.

    Returns:
        The listening socket.

    Raises:
        InvalidInput: it cannot be listened on.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except socket.gaierror as error:
        reason = error.strerror
    except OSError as error:
        reason = os.strerror(error.errno or 0)
    except UnicodeError:
        reason = "Not a name of a host"
    expected = f"an address of this machine where port {port} is free"
    raise InvalidInput("host", expected=expected, given=shown(host), hint=reason)


def shown_address(listener: socket.socket) -> str:
    """The address of a listening socket, as a browser takes it."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
