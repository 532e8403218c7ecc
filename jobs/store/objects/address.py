"""The address of an object store: `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`."""

import re
from collections.abc import Mapping

SCHEMES = ("s3", "gs", "az")
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT")
"""Variables that may name a server other than the cloud's."""

SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

_ENDPOINT = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[!-~]*)?")
_ADDRESS = re.compile(
    rf"({'|'.join(SCHEMES)})://([A-Za-z0-9][A-Za-z0-9._-]{{1,62}})((?:/[A-Za-z0-9][A-Za-z0-9._-]*)*)/?"
)


def checked_store(text: str) -> str:
    """The canonical form of the setting `store`.

    Raises:
        ValueError: it is no such address; its text is what is expected.
    """
    if not text:
        return ""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ValueError(
            "s3://bucket/prefix, gs://bucket/prefix or az://container/prefix, without a password "
            "(hint: credentials come from the environment, AWS_ACCESS_KEY_ID for one, or from "
            "QUARTET_STORE_CREDENTIALS_FILE; a folder is set by "
            "QUARTET_RESULTS_DIR)"
        )
    return f"{match[1]}://{match[2]}{match[3]}"


def allows_http(variables: Mapping[str, str]) -> bool:
    """Whether a variable names a server that is asked without TLS."""
    return any(variables.get(name, "").startswith("http://") for name in ENDPOINTS)


def unusable_variable(variables: Mapping[str, str]) -> str | None:
    """What is wrong with a variable that obstore would not survive; it never says what a secret is."""
    for name in ENDPOINTS:
        value = variables.get(name, "")
        if value and not _ENDPOINT.fullmatch(value):
            return f"{name} is no address such as https://host:9000"
    for name in SECRETS:
        if not re.fullmatch("[!-~]*", variables.get(name, "")):
            return f"{name} has a character that no key has, such as the end of a line"
    return None
