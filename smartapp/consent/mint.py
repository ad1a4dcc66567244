"""Makes permits. Only `access` may import this: so a Permit proves that the question was asked and recorded."""

from collections.abc import Callable
from datetime import datetime

from smartapp.consent.model import SEAL, ConsentPermit, Decision, IndexPermit, Permit, Question, SignInPermit
from smartapp.consent.principal import AppPrincipal
from smartapp.consent.reach import Reach
from smartapp.errors import AccessDenied
from smartapp.identity.model import PatientKey


def mint(
    question: Question,
    decision: Decision,
    *,
    disclosure_id: str,
    expires_at: datetime,
    still_held: Callable[[], None],
) -> Permit:
    """The permit for an allowed decision whose intent was recorded under `disclosure_id`; AccessDenied otherwise."""
    if not decision.allowed:
        raise AccessDenied(*decision.reasons)
    principal = question.principal
    return Permit(
        seal=SEAL,
        principal=principal,
        patient=question.patient,
        action=question.action,
        purpose=question.purpose,
        studies=decision.visible,
        reasons=decision.reasons,
        disclosure_id=disclosure_id,
        expires_at=expires_at,
        still_held=still_held,
        reach=Reach.of(principal) if isinstance(principal, AppPrincipal) else None,
    )


def mint_index(patient: PatientKey, credential_id: str) -> IndexPermit:
    """The permit to refresh a patient's own study index; its use was recorded before."""
    return IndexPermit(seal=SEAL, patient=patient, credential_id=credential_id)


def mint_sign_in(provider: str, patient_id: str, credential_id: str) -> SignInPermit:
    """The permit to read the Patient that the EHR named in its token answer; its use was recorded before."""
    return SignInPermit(seal=SEAL, provider=provider, patient_id=patient_id, credential_id=credential_id)


def mint_consent(patient: PatientKey, credential_id: str, grant_id: str) -> ConsentPermit:
    """The permit to write a grant's Consent to the EHR; its use was recorded before."""
    return ConsentPermit(seal=SEAL, patient=patient, credential_id=credential_id, grant_id=grant_id)
