"""Why an address of Redis is refused, in one sentence that shows nothing of it."""

from jobs.errors import InvalidSetting

FIELD = "QUARTET_REDIS_URL"
ENCODE = (
    "percent-encode what is special in a password (# is %23, % is %25, / is %2F, ? is %3F, @ is %40), "
    "or put it into the file that QUARTET_REDIS_PASSWORD_FILE names"
)
SENTINEL_FORM = "write redis+sentinel://user:password@host:26379,host2:26379/service/0"


def refused(how: str, hint: str | None = ENCODE) -> InvalidSetting:
    """The error for an address.

    Args:
        how: completes "got one", without any part of the address.
        hint: what to do.
    """
    return InvalidSetting(
        FIELD,
        expected="the address of one Redis, such as redis://user:password@host:6379/0",
        given=f"one {how}",
        hint=hint,
    )
