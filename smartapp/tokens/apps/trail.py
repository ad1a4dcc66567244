"""What is written down of tokens: never one of them.

It is written last in each transaction: on PostgreSQL the trail's writers wait for each other until they commit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from smartapp.audit.model import Event, Severity
from smartapp.audit.service import AuditTrail
from smartapp.consent.grants.model import Grant
from smartapp.tokens.apps.model import Family


@dataclass(frozen=True)
class Refused:
    """A no: written down in the transaction that it changes something in, and raised after that.

    `stopped`: it ended a line of tokens, of which the person who gave the grant is told.
    """

    kind: str
    severity: Severity = "info"
    client_id: str = ""
    grant: Grant | None = None
    detail: Mapping[str, str] = field(default_factory=dict)
    stopped: bool = False


class Trail:
    """Writes rows within the caller's transaction."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    def refused(self, session: Session, provider: str, refused: Refused, request_id: str) -> None:
        """A no."""
        detail = {"client": refused.client_id[:64], **refused.detail}
        self._write(session, provider, refused.kind, refused.severity, refused.grant, detail, request_id)

    def issued(self, session: Session, provider: str, family: Family, grant: Grant, by: str, request_id: str) -> None:
        """Tokens of a family; `by` is the grant type."""
        detail = {"client": family.client_id, "by": by, "family": family.id, "number": str(family.number)}
        self._write(session, provider, "token.issued", "info", grant, detail, request_id)

    def raced(self, session: Session, provider: str, family: Family, grant: Grant, request_id: str) -> None:
        """A refresh token was shown again within the time of grace: by a retry, or by somebody else at that moment."""
        detail = {"client": family.client_id, "family": family.id, "number": str(family.number)}
        self._write(session, provider, "oauth.refresh.race", "info", grant, detail, request_id)

    def issued_for_backend(self, session: Session, provider: str, client_id: str, request_id: str) -> None:
        """A token of a client that acts for itself."""
        detail = {"client": client_id, "by": "client_credentials"}
        self._write(session, provider, "token.issued", "info", None, detail, request_id)

    def revoked(self, session: Session, provider: str, client_id: str, grant: Grant | None, request_id: str) -> None:
        """What an app gave back."""
        self._write(session, provider, "oauth.revoke", "info", grant, {"client": client_id}, request_id)

    def _write(
        self,
        session: Session,
        provider: str,
        kind: str,
        severity: Severity,
        grant: Grant | None,
        detail: Mapping[str, str],
        request_id: str,
    ) -> None:
        event = Event(
            kind,
            severity,
            patient=grant.patient if grant else None,
            principal_ref=grant.person_id if grant else "",
            session_ref=grant.id if grant else "",
            detail=detail,
            request_id=request_id,
            provider=provider,
        )
        self._audit.record(event, session=session)
