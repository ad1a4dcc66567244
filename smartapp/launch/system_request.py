"""Asks an EHR for a token as a backend service (SMART App Launch 2.2, backend services; RFC 6749 §4.4, RFC 7523)."""

from dataclasses import dataclass

from smartapp.errors import UpstreamDown, UpstreamMalformed
from smartapp.launch.checks.system_answer import read_system_answer
from smartapp.launch.ehrs import Ehr, Ehrs
from smartapp.launch.model import SystemAnswer
from smartapp.launch.refusals import Refusal
from smartapp.launch.token_request import ask_token


@dataclass(frozen=True)
class No:
    """The EHR gives us none; `error` is its published code (RFC 6749 §5.2)."""

    error: str


def ask_system(ehrs: Ehrs, ehr: Ehr) -> SystemAnswer | No:
    """A token over what of `system_scopes` the EHR grants, or its no; scopes of which it grants none are a no too.

    Raises Upstream errors when the EHR gave no word.
    """
    if ehr.system is None:
        return No("unauthorized_client")
    asked = ehr.provider.system_scopes
    form = {"grant_type": "client_credentials", "scope": " ".join(asked)}
    try:
        metadata = ehrs.metadata(ehr, ehr.provider.iss)
        reply = ask_token(ehr.door, ehr.system, metadata, form)
        if reply.answer is None:
            return _refused(reply.error)
        answer = read_system_answer(reply.answer, asked)
    except Refusal as refusal:
        raise UpstreamMalformed(refusal.code) from refusal
    return answer if answer.scopes else No("invalid_scope")


def _refused(error: str) -> No:
    """Any published error is a word on us; those that ask for patience, or none at all, are not."""
    if error in {"", "temporarily_unavailable", "server_error", "slow_down"}:
        raise UpstreamDown("ehr-token")
    return No(error)
