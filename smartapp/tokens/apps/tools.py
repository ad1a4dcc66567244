"""What the steps of this room work with."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy.orm import Session

from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.consent.grants.service import Grants
from smartapp.identity.apps.service import Apps
from smartapp.security.keyring import Keyring
from smartapp.settings import Apps as Limits
from smartapp.tokens.apps import store
from smartapp.tokens.apps.access import AccessTokens
from smartapp.tokens.apps.codes import Codes
from smartapp.tokens.apps.families import Families
from smartapp.tokens.apps.liveness import Liveness, SessionLiveness
from smartapp.tokens.apps.masks import Masks
from smartapp.tokens.apps.sealed import TokenSeal
from smartapp.tokens.apps.secrets import Secrets
from smartapp.tokens.apps.trail import Trail


@dataclass(frozen=True)
class Tools:
    """Made once; nothing in it remembers anything."""

    secrets: Secrets
    codes: Codes
    families: Families
    access: AccessTokens
    grants: Grants
    apps: Apps
    liveness: Liveness
    masks: Masks
    trail: Trail
    clock: Clock

    @classmethod
    def of(
        cls,
        limits: Limits,
        keyring: Keyring,
        grants: Grants,
        apps: Apps,
        sessions: SessionLiveness,
        audit: AuditTrail,
        clock: Clock,
    ) -> Self:
        """All of them, over these rooms."""
        secrets, seal = Secrets(keyring), TokenSeal(keyring)
        return cls(
            secrets=secrets,
            codes=Codes(secrets, seal),
            families=Families(secrets, seal, limits),
            access=AccessTokens(secrets, seal, limits),
            grants=grants,
            apps=apps,
            liveness=Liveness(grants, apps, sessions),
            masks=Masks(keyring),
            trail=Trail(audit),
            clock=clock,
        )

    def stop(self, session: Session, family_id: str, grant_id: str, why: str) -> bool:
        """A thief or a fault: all tokens of that line are dead, and the patient can read so in the grant's history.
        False when they were before.
        """
        ended = store.end_family(session, family_id, self.clock.now(), why)
        if ended:
            self.grants.note(session, grant_id, kind="tokens-stopped", by="us")
        return ended
