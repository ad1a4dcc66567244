"""The token answer (RFC 6749 §5.1, SMART App Launch 2.2: launch context)."""

import math
import re
from collections.abc import Mapping, Sequence

from smartapp.launch.model import TokenAnswer
from smartapp.launch.refusals import refuse
from smartapp.launch.scopes import in_effect

CODE = "smart.token.bad"
UNSAID_LIFETIME = 300
"""Seconds that a token is taken to live when the EHR does not say."""
MAX_LIFETIME = 86400
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_STUDY = re.compile(r"ImagingStudy/[A-Za-z0-9\-.]{1,64}")


def read_token_answer(answer: Mapping[str, object], asked: Sequence[str]) -> TokenAnswer:
    """What we use of the answer, with the scopes that were both asked and granted. Raises Refusal."""
    kind = answer.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        refuse(CODE, "token_type")
    access = _token(answer, "access_token")
    if access is None:
        refuse(CODE, "access_token")
    scope = answer.get("scope")
    if scope is not None and not isinstance(scope, str):
        refuse(CODE, "scope")
    patient = answer.get("patient")
    if patient is not None and not (isinstance(patient, str) and _ID.fullmatch(patient)):
        refuse("smart.context.missing", "patient: form")
    return TokenAnswer(
        access_token=access,
        expires_in=_lifetime(answer.get("expires_in")),
        scopes=in_effect(asked, scope),
        refresh_token=_token(answer, "refresh_token"),
        id_token=_token(answer, "id_token"),
        patient=patient,
        need_patient_banner=answer.get("need_patient_banner") is not False,
        imaging_studies=_studies(answer.get("fhirContext")),
    )


def _token(answer: Mapping[str, object], name: str) -> str | None:
    value = answer.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        refuse(CODE, name)
    return value


def _lifetime(value: object) -> int:
    if value is None:
        return UNSAID_LIFETIME
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 1:
        refuse(CODE, "expires_in")
    return int(min(value, MAX_LIFETIME))


def _studies(context: object) -> tuple[str, ...]:
    """`fhirContext` may hold anything; only plain references to studies mean something to us, and only in the role
    `launch`, which is the one of an entry that names none (SMART App Launch 2.2, fhirContext).
    """
    entries = [entry for entry in context if isinstance(entry, dict)] if isinstance(context, list) else []
    references = (entry.get("reference") for entry in entries if entry.get("role", "launch") == "launch")
    return tuple(ref for ref in references if isinstance(ref, str) and _STUDY.fullmatch(ref))
