"""Authorization codes: each counts once, for a minute, for whom it was made (RFC 6749 §4.1.2, RFC 7636 §4.6)."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.audit.model import Severity
from smartapp.ids import new_id
from smartapp.tokens.apps import pkce, store
from smartapp.tokens.apps.model import CodeFacts
from smartapp.tokens.apps.sealed import TokenSeal
from smartapp.tokens.apps.secrets import Secrets
from smartapp.tokens.apps.store import StoredCode

LIFETIME: Final = timedelta(seconds=60)


@dataclass(frozen=True)
class Shown:
    """A code that is known, with what was said when it was shown. `first`: nobody had shown it before."""

    code_ref: str
    family_id: str
    facts: CodeFacts
    expires_at: datetime
    first: bool
    client_id: str
    redirect_uri: str
    verifier: str


@dataclass(frozen=True)
class Fault:
    """Why it buys nothing: the kind of the audit row."""

    kind: str
    severity: Severity = "info"


class Codes:
    """Makes codes, and takes them once."""

    def __init__(self, secrets: Secrets, seal: TokenSeal) -> None:
        self._secrets = secrets
        self._seal = seal

    def issue(self, session: Session, provider: str, facts: CodeFacts, now: datetime) -> str:
        """A new code for `facts`, within the caller's write. ValueError for one without a challenge."""
        if not pkce.is_challenge(facts.challenge):
            raise ValueError("a code has a challenge")
        raw = self._secrets.fresh("sac")
        ref = self._secrets.ref(provider, raw)
        row = StoredCode(
            code_ref=ref,
            grant_id=facts.grant_id,
            family_id=new_id("fam"),
            sealed=self._seal.close_code(ref, facts),
            expires_at=now + LIFETIME,
            used_at=None,
            kept_until=now + LIFETIME,
        )
        store.add_code(session, row)
        return raw

    def take(
        self,
        session: Session,
        provider: str,
        raw: str,
        now: datetime,
        *,
        client_id: str,
        redirect_uri: str,
        verifier: str,
    ) -> Shown | None:
        """Claims the code before anything else is looked at: from here on nobody can use it. None for an unknown one,
        and then nothing is consumed.
        """
        if self._secrets.kind(raw) != "sac":
            return None
        ref = self._secrets.ref(provider, raw)
        claimed = store.claim_code(session, ref, now)
        row = claimed or store.code(session, ref)
        if row is None:
            return None
        return Shown(
            code_ref=ref,
            family_id=row.family_id,
            facts=self._seal.open_code(ref, row.sealed),
            expires_at=row.expires_at,
            first=claimed is not None,
            client_id=client_id,
            redirect_uri=redirect_uri,
            verifier=verifier,
        )


def fault(shown: Shown, now: datetime) -> Fault | None:
    """The first thing that is wrong with it, in the order of the list."""
    return next((found for check in CHECKS if (found := check(shown, now))), None)


def _replayed(shown: Shown, _now: datetime) -> Fault | None:
    return None if shown.first else Fault("oauth.code.replay", "high")


def _over(shown: Shown, now: datetime) -> Fault | None:
    return Fault("oauth.code.expired") if now >= shown.expires_at else None


def _of_another(shown: Shown, _now: datetime) -> Fault | None:
    return None if _same(shown.client_id, shown.facts.client_id) else Fault("oauth.code.client_mismatch", "high")


def _elsewhere(shown: Shown, _now: datetime) -> Fault | None:
    """Compared as text (RFC 6749 §4.1.3): a loopback port that differed was settled when the code was made."""
    same = _same(shown.redirect_uri, shown.facts.redirect_uri)
    return None if same else Fault("oauth.code.redirect_mismatch")


def _downgraded(shown: Shown, _now: datetime) -> Fault | None:
    return None if shown.facts.challenge else Fault("oauth.pkce.downgrade", "high")


def _not_verified(shown: Shown, _now: datetime) -> Fault | None:
    return None if pkce.verifies(shown.verifier, shown.facts.challenge) else Fault("oauth.pkce.fail")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


CHECKS: Final[tuple[Callable[[Shown, datetime], Fault | None], ...]] = (
    _replayed,
    _over,
    _of_another,
    _elsewhere,
    _downgraded,
    _not_verified,
)
