"""The names under which a de-identified grant shows UIDs, and the ids of our FHIR resources. Pure."""

import hashlib
import hmac

from smartapp.consent.principal import AppPrincipal
from smartapp.identity.model import Principal


def alias(key: str, uid: str) -> str:
    """Another UID for `uid`, always the same under one key, and not to be turned back without it (PS3.5 §B.2)."""
    digest = hmac.digest(key.encode(), uid.encode(), "sha256")
    return f"2.25.{int.from_bytes(digest[:16])}"


def shown_uid(principal: Principal, uid: str) -> str:
    """The UID as this principal is shown it: itself, or its alias under a grant of de-identified images."""
    key = principal.alias_key if isinstance(principal, AppPrincipal) else None
    return alias(key, uid) if key else uid


def study_id(provider: str, shown: str) -> str:
    """The id of our ImagingStudy for a study shown under this UID, as FHIR R4 §2.24.0.1 has ids."""
    return hashlib.sha256(f"ImagingStudy\x1f{provider}\x1f{shown}".encode()).hexdigest()[:40]
