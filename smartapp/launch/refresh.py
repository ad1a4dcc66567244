"""What the EHR says when asked for the next tokens (RFC 6749 §6, SMART App Launch 2.2: refresh)."""

from dataclasses import dataclass

from smartapp.errors import UpstreamDown, UpstreamError, UpstreamMalformed
from smartapp.identity.model import PatientKey
from smartapp.launch.checks.token_answer import read_token_answer
from smartapp.launch.ehrs import Ehr, Ehrs
from smartapp.launch.model import TokenAnswer
from smartapp.launch.refusals import Refusal
from smartapp.launch.token_request import ask_token


@dataclass(frozen=True)
class Dead:
    """The EHR will give no more tokens for this credential; `kind` is the audit row that says why."""

    kind: str


def ask_next(
    ehrs: Ehrs, ehr: Ehr, *, refresh_token: str, scopes: tuple[str, ...], patient: PatientKey
) -> TokenAnswer | Dead:
    """The next tokens, never with more scope than before, or that there are none.

    Raises Upstream errors when the EHR gave no word on the credential; it is kept then.
    """
    try:
        metadata = ehrs.metadata(ehr, ehr.provider.iss)
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        reply = ask_token(ehr.door, ehr.identity, metadata, form)
        if reply.answer is None:
            return _refused(reply.error)
        answer = read_token_answer(reply.answer, scopes)
    except Refusal as refusal:
        raise UpstreamMalformed(refusal.code) from refusal
    if answer.patient not in {None, patient.patient_id}:
        return Dead("smart.context.mismatch")
    return answer


def _refused(error: str) -> Dead:
    if error == "invalid_grant":
        return Dead("smart.revoked_upstream")
    if error:
        raise UpstreamError("ehr-token")
    raise UpstreamDown("ehr-token")
