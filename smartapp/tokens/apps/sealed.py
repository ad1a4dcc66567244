"""What is sealed in the rows of codes, families and access tokens: scopes can name studies, contexts name resources."""

import dataclasses
import json
from datetime import datetime
from typing import Any

from smartapp.security.keyring import Keyring
from smartapp.tokens.apps.model import CodeFacts, Family
from smartapp.tokens.apps.store import StoredFamily


class TokenSeal:
    """Seals and opens, each value bound to its row. Raises IntegrityError for a row that somebody else changed."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def close_code(self, code_ref: str, facts: CodeFacts) -> bytes:
        """The facts of a code."""
        return self._close(f"app-code\x1f{code_ref}", dataclasses.asdict(facts))

    def open_code(self, code_ref: str, sealed: bytes) -> CodeFacts:
        """What `close_code` was given."""
        plain = self._open(f"app-code\x1f{code_ref}", sealed)
        return CodeFacts(**_read(plain))

    def close_family(self, family_id: str, facts: CodeFacts) -> bytes:
        """What a family keeps of its code."""
        kept = {name: getattr(facts, name) for name in ("scope", "nonce", "fhir_context", "auth_time", "banner")}
        return self._close(f"app-family\x1f{family_id}", kept)

    def open_family(self, row: StoredFamily) -> Family:
        """The family of a row."""
        plain = self._open(f"app-family\x1f{row.id}", row.sealed)
        return Family(
            id=row.id,
            client_id=row.client_id,
            grant_id=row.grant_id,
            number=row.number,
            refreshable=row.refreshable,
            session_id=row.session_id,
            expires_at=row.expires_at,
            grant_version=row.grant_version,
            **_read(plain),
        )

    def close_scope(self, token_ref: str, scope: str) -> bytes:
        """The scope of an access token."""
        return self._keyring.seal(scope.encode(), f"app-access\x1f{token_ref}".encode())

    def open_scope(self, token_ref: str, sealed: bytes) -> str:
        """What `close_scope` was given."""
        return self._keyring.open_(sealed, f"app-access\x1f{token_ref}".encode()).decode()

    def _close(self, aad: str, plain: dict[str, Any]) -> bytes:
        return self._keyring.seal(json.dumps(plain, default=datetime.isoformat).encode(), aad.encode())

    def _open(self, aad: str, sealed: bytes) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(self._keyring.open_(sealed, aad.encode()))
        return plain


def _read(plain: dict[str, Any]) -> dict[str, Any]:
    """JSON knows neither tuples nor times."""
    said = plain["auth_time"]
    auth_time = datetime.fromisoformat(said) if said else None
    return {**plain, "fhir_context": tuple(plain["fhir_context"]), "auth_time": auth_time}
