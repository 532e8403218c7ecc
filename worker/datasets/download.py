"""Downloads a dataset into the data folder, once, and checks it against its pinned SHA-256.

Ours, since pooch does not lock out other processes, and `keras.utils.get_file` loads TensorFlow and never
times out.
"""

import fcntl
import hashlib
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException
from pathlib import Path

from jobs.datasets import Dataset, Original, is_there, shown_path
from jobs.errors import InvalidData
from jobs.settings import Settings
from jobs.wording import alternatives, counted

PARTIAL = ".partial"
"""The folder, within the data folder, of downloads that are not complete and checked."""

SILENCE_SECONDS = 30.0
"""How long a server may send nothing, to connect as well as between two reads."""

SCHEMES = ("http", "https")
"""What a download may use, redirects included."""

_BLOCK = 1 << 20

Received = Callable[[int], None]
"""Called with the number of bytes in each block that arrives; may raise to stop the download."""


def obtain(dataset: Dataset, settings: Settings, received: Received = lambda _: None) -> Path:
    """Find a dataset in the data folder, or download it there.

    Args:
        dataset: one that is not generated.
        settings: its `data_dir` is the data folder.
        received: called with the number of bytes in each block that arrives.

    Returns:
        The dataset's file or folder.

    Raises:
        InvalidData: it cannot be downloaded, or not into that folder.
    """
    data_dir = settings.data_dir.absolute()
    found = dataset.find(data_dir)
    if found is not None:
        return found
    if not dataset.originals:
        names = alternatives([" and ".join(layout) for layout in dataset.layouts])
        raise InvalidData(
            dataset.name,
            expected=f"{names} in {shown_path(data_dir)}",
            given="none",
            hint="it is not offered for download, so put it there yourself",
        )
    downloads = dataset.downloads
    try:
        with _one_at_a_time(data_dir):
            for original in downloads:
                # Another process may have downloaded it while this one waited.
                if not is_there(data_dir / original.file, folder=False):
                    download(original, data_dir, received)
            return dataset.find(data_dir) or data_dir / downloads[0].file
    except OSError as error:
        raise InvalidData(
            shown_path(data_dir),
            expected="a writable data folder",
            given=f"an error ({(error.strerror or str(error)).lower()})",
            hint="set QUARTET_DATA_DIR to a folder that is writable, or that already holds "
            f"{downloads[0].file}",
        ) from None


def download(original: Original, data_dir: Path, received: Received = lambda _: None) -> Path:
    """Download a file into a folder, where it appears complete and checked or not at all.

    Args:
        original: the file, with its URL, size and SHA-256.
        data_dir: the folder; it is created if need be.
        received: called with the number of bytes in each block that arrives.

    Returns:
        The file.

    Raises:
        InvalidData: the URL cannot be reached, or sends another file.
        OSError: the folder cannot be written.
    """
    partial = data_dir / PARTIAL / original.file.replace("/", "-")
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.unlink(missing_ok=True)
    try:
        problem = _fetch(original, partial, received)
        if problem is not None:
            raise InvalidData(
                original.url,
                expected=f"{counted(original.size, 'byte')} with SHA-256 {original.sha256}",
                given=problem,
                hint=_by_hand(original, data_dir),
            )
        (data_dir / original.file).parent.mkdir(exist_ok=True)
        return partial.rename(data_dir / original.file)
    except _Unreachable as error:
        raise InvalidData(
            original.url,
            expected="a file to download",
            given=_reason(error.cause),
            hint=_by_hand(original, data_dir),
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def _fetch(original: Original, partial: Path, received: Received) -> str | None:
    """Write what the server sends into a new file; return how it differs from the original, if it does."""
    digest, size = hashlib.sha256(), 0
    with partial.open("xb") as file, closing(_blocks(original.url)) as blocks:
        for block in blocks:
            size += len(block)
            if size > original.size:
                return "a larger file"
            file.write(block)
            digest.update(block)
            received(len(block))
        file.flush()
        os.fsync(file.fileno())
    if size < original.size:
        return f"only {counted(size, 'byte')}"
    return None if digest.hexdigest() == original.sha256 else f"SHA-256 {digest.hexdigest()}"


class _Unreachable(Exception):
    """The network failed. Its errors are OSErrors, as are those of a disk; this keeps them apart."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _blocks(url: str) -> Generator[bytes, None, None]:
    """What a URL sends, as it arrives.

    Raises:
        _Unreachable: it cannot be reached, or falls silent.
    """
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "quartet"})
        with _opener().open(request, timeout=SILENCE_SECONDS) as response:
            while block := response.read1(_BLOCK):
                yield block
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise _Unreachable(error) from error


def _opener() -> urllib.request.OpenerDirector:
    """Python's usual opener without ftp:, file: and data:, to which a server could redirect."""
    proxies = {name: url for name, url in urllib.request.getproxies().items() if name in SCHEMES}
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _reason(error: Exception) -> str:
    """Why a URL cannot be reached, to be read after `got`."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"nothing for {SILENCE_SECONDS:g} s"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"a certificate that cannot be verified ({cause.verify_message})"
    if isinstance(cause, OSError) and cause.strerror:
        return f"an error ({cause.strerror.lower()})"
    return f"an error ({cause if isinstance(cause, str) else type(cause).__name__})"


def _by_hand(original: Original, data_dir: Path) -> str:
    return f"check the network, or put {original.file} into {shown_path(data_dir)} yourself"


@contextmanager
def _one_at_a_time(data_dir: Path) -> Iterator[None]:
    """Let one process at a time download into a folder."""
    (data_dir / PARTIAL).mkdir(parents=True, exist_ok=True)
    with (data_dir / PARTIAL / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
