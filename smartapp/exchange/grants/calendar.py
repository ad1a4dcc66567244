"""A reminder to keep in one's own calendar (RFC 5545). It names no app, no study and nobody. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

_WIDTH: Final = 75
"""Octets of a line (RFC 5545 §3.1)."""


def reminder(uid: str, at: datetime, made_at: datetime, summary: str, description: str, address: str) -> bytes:
    """A calendar with one event of half an hour at `at`, and an alarm at its beginning.

    `uid` makes it the same event when it is fetched again (RFC 5545 §3.8.4.7). `summary` and `description` are words
    without health information; `address` is where to look. Times are aware.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//smartapp//apps with access//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{_text(uid)}",
        f"DTSTAMP:{_moment(made_at)}",
        f"DTSTART:{_moment(at)}",
        f"DTEND:{_moment(at + timedelta(minutes=30))}",
        f"SUMMARY:{_text(summary)}",
        f"DESCRIPTION:{_text(description)}",
        f"URL:{address}",
        "CLASS:PRIVATE",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(summary)}",
        "TRIGGER:PT0S",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line)).encode()


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """RFC 5545 §3.3.11; other control characters are none of a calendar's."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\r\n", "\n")
    return "".join("\\n" if sign == "\n" else sign for sign in escaped if sign == "\n" or sign.isprintable())


def _folded(line: str) -> list[str]:
    """Cut between characters, never within one; what follows begins with a space (RFC 5545 §3.1)."""
    pieces, piece = [], ""
    for sign in line:
        if len((piece + sign).encode()) > _WIDTH:
            pieces.append(piece)
            piece = " "
        piece += sign
    return [*pieces, piece]
