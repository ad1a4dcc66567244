"""Whether an EHR takes us as a backend service: a token is asked for, and used for nothing."""

from collections.abc import Iterator
from typing import Final

from smartapp.errors import SmartappError
from smartapp.launch.ehrs import Ehr, Ehrs
from smartapp.launch.refusals import Refusal
from smartapp.launch.system_request import No, ask_system
from smartapp.outbound.findings import Finding

_ADVICE: Final = {
    "invalid_client": "does it know our key set ({base}/.well-known/jwks.json) under this system_client_id?",
    "unauthorized_client": "is the client of system_client_id registered for client_credentials?",
    "invalid_scope": "have it allow what system_scopes names, all of it read only but Consent",
}
_ELSE: Final = "ask who runs it what our client lacks"


def survey_system(ehrs: Ehrs, ehr: Ehr, base_url: str) -> Iterator[Finding]:
    """One finding where we are configured to be a backend service; none elsewhere."""
    provider = ehr.provider
    if ehr.system is None:
        return
    name = f"backend services at {provider.id}"
    try:
        answer = ask_system(ehrs, ehr)
    except SmartappError as error:
        detail = error.detail if isinstance(error, Refusal) else ""
        yield Finding(name, "fails", f"its token endpoint gives no answer that counts ({detail or error.code})")
        return
    if isinstance(answer, No):
        advice = _ADVICE.get(answer.error, _ELSE).format(base=base_url)
        yield Finding(name, "fails", f"it gives us no token ({answer.error}): {advice}")
        return
    lacking = sorted(set(provider.system_scopes) - set(answer.scopes))
    if lacking:
        yield Finding(name, "look", f"it does not give all of system_scopes; missing: {', '.join(lacking)}")
    else:
        yield Finding(name, "works", f"a token for {answer.expires_in} s, over all of system_scopes")
