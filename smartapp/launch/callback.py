"""The authorization response (RFC 6749 §4.1.2, RFC 9207): what must hold before the token endpoint is asked."""

from collections.abc import Mapping, Sequence
from hmac import compare_digest

from smartapp.launch.flows import Flows
from smartapp.launch.model import PendingFlow
from smartapp.launch.refusals import refuse
from smartapp.security.keyring import Keyring

MAX_VALUE = 8192
PURPOSE = "launch-browser"


def singles(params: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The parameters, each given once (RFC 6749 §3.1). Raises Refusal when one is repeated or huge."""
    for values in params.values():
        if len(values) != 1 or len(values[0]) > MAX_VALUE:
            refuse("smart.callback.bad", "parameter")
    return {name: values[0] for name, values in params.items()}


def taken_flow(flows: Flows, keyring: Keyring, state: str | None, browser_secret: str | None) -> PendingFlow:
    """The flow of `state`, spent by this call, begun in this browser. Raises Refusal (`smart.state.bad`).

    A state shown by another browser is spent too: whoever has it should not have it.
    """
    if not state:
        refuse("smart.state.bad", "missing")
    flow = flows.take(state)
    if flow is None:
        refuse("smart.state.bad", "unknown")
    if not browser_secret or not compare_digest(keyring.mac(PURPOSE, browser_secret), flow.browser):
        refuse("smart.state.bad", "browser")
    return flow


def check_issuer(flow: PendingFlow, iss: str | None) -> None:
    """The answer's `iss` is the issuer we asked; it must be there where the metadata says so (RFC 9207 §2.4).

    Raises Refusal (`smart.mixup`); error responses are held to it as well.
    """
    if iss is None and flow.metadata.says_iss:
        refuse("smart.mixup", "missing")
    if iss is not None and iss != flow.metadata.issuer:
        refuse("smart.mixup", "differs")


def code_of(params: Mapping[str, str]) -> str:
    """The authorization code. Raises Refusal when the EHR answered with an error instead (RFC 6749 §4.1.2.1)."""
    error = params.get("error")
    if error == "access_denied":
        refuse("smart.authorize.denied")
    if error is not None or not params.get("code"):
        refuse("smart.authorize.error", error if error in _ERRORS else "")
    return params["code"]


_ERRORS = frozenset(
    {
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "login_required",
        "interaction_required",
        "consent_required",
    }
)
"""The published error codes; any other text came from nobody we know and is not written down."""
