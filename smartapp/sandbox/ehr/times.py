"""The one place of this process that reads the clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC)


def timestamp() -> int:
    """The present moment in whole seconds since 1970, as JSON Web Tokens count (RFC 7519 §2)."""
    return int(now().timestamp())


def instant(moment: datetime) -> str:
    """A moment as a FHIR instant, UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
