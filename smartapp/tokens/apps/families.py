"""Families: lines of refresh tokens, each with one successor, that die as a whole (RFC 9700 §4.14.2)."""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from sqlalchemy.orm import Session

from smartapp.consent.grants.model import Grant
from smartapp.settings import Apps as Limits
from smartapp.tokens.apps import store
from smartapp.tokens.apps.access import LONGEST
from smartapp.tokens.apps.model import CodeFacts, Family
from smartapp.tokens.apps.sealed import TokenSeal
from smartapp.tokens.apps.secrets import Secrets
from smartapp.tokens.apps.store import StoredFamily

GRACE: Final = timedelta(seconds=10)
"""An app whose answer was lost on the way may ask again so long after the rotation."""


class Place(Enum):
    """Where a refresh token stands in its family."""

    NEWEST = "newest"
    JUST_SPENT = "just-spent"
    """The one before, within the time of grace: its successor is the answer again."""
    SPENT = "spent"


class Families:
    """Opens and rotates families, within the caller's write."""

    def __init__(self, secrets: Secrets, seal: TokenSeal, limits: Limits) -> None:
        self._secrets = secrets
        self._seal = seal
        self._longest = timedelta(seconds=limits.refresh_lifetime)

    def open(
        self, session: Session, provider: str, family_id: str, facts: CodeFacts, grant: Grant, now: datetime
    ) -> tuple[Family, str | None]:
        """The family that a code buys, and its first refresh token if it has any.

        Its end is fixed here: no refresh moves it, and it is not later than the grant's.
        """
        words = facts.scope.split()
        session_id = grant.session_id
        if session_id is None and "offline_access" not in words and "online_access" in words:
            session_id = facts.session_id
        lasting = "offline_access" in words or ("online_access" in words and session_id is not None)
        ends = now + (self._longest if lasting else LONGEST)
        row = StoredFamily(
            id=family_id,
            provider=provider,
            client_id=facts.client_id,
            grant_id=grant.id,
            grant_version=grant.version,
            session_id=session_id,
            refreshable=lasting,
            number=0,
            sealed=self._seal.close_family(family_id, facts),
            rotated_at=now,
            expires_at=min(ends, grant.expires_at or ends),
            ended_at=None,
            ended_why="",
        )
        store.add_family(session, row)
        return self._seal.open_family(row), self._hand_out(session, provider, family_id, 0) if lasting else None

    def family(self, row: StoredFamily) -> Family:
        """The family of a row."""
        return self._seal.open_family(row)

    def place(self, row: StoredFamily, number: int, now: datetime) -> Place:
        """Where refresh token `number` of this family stands."""
        if number == row.number:
            return Place.NEWEST
        just = number == row.number - 1 and now - row.rotated_at <= GRACE
        return Place.JUST_SPENT if just else Place.SPENT

    def rotate(self, session: Session, row: StoredFamily, now: datetime) -> tuple[Family, str]:
        """The family one further, and its next refresh token. The caller holds the family's row."""
        if not store.rotate(session, row.id, row.number, now):
            raise RuntimeError("a family that was locked has moved")
        token = self._hand_out(session, row.provider, row.id, row.number + 1)
        return self._seal.open_family(replace(row, number=row.number + 1)), token

    def newest(self, row: StoredFamily) -> str:
        """The refresh token that was handed out last."""
        return self._secrets.refresh_token(row.id, row.number)

    def _hand_out(self, session: Session, provider: str, family_id: str, number: int) -> str:
        token = self._secrets.refresh_token(family_id, number)
        store.add_refresh(session, self._secrets.ref(provider, token), family_id, number)
        return token
