"""How much of a session is left."""

from dataclasses import dataclass
from typing import Final

from smartapp.identity.model import BrowserSession
from smartapp.web import sessions
from smartapp.web.parts import parts

_WARN: Final = 120
"""Seconds before the end; WCAG 2.2 §2.2.1 asks for 20 at least."""


@dataclass(frozen=True)
class Left:
    """Seconds until the session ends, and before that until its page warns. `final`: nothing can move the end."""

    seconds: int
    final: bool
    warn: int


def left_of(session: BrowserSession) -> Left:
    """What is left of `session` now, by the nearer of its two limits. A short idle limit warns at half of it."""
    now = parts().clock.now()
    until = min(session.idle_until, session.absolute_until)
    warn = min(_WARN, parts().settings.sessions.idle // 2)
    return Left(max(0, int((until - now).total_seconds())), session.absolute_until <= session.idle_until, warn)


def session_left() -> Left | None:
    """For templates: what is left of this browser's session."""
    session = sessions.current_or_none()
    return left_of(session) if session else None
