"""The authorization request, checked step by step; the list of steps is the endpoint (RFC 6749 §4.1.1)."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from smartapp.sandbox.ehr.config import Client
from smartapp.sandbox.ehr.oauth.errors import OAuthError, PageError
from smartapp.sandbox.ehr.oauth.pkce import is_challenge
from smartapp.sandbox.ehr.scopes import grant
from smartapp.sandbox.ehr.site import Site
from smartapp.sandbox.ehr.state import AuthRequest, Launch

Params = Mapping[str, str]


def client_of(site: Site, params: Params) -> Client:
    """The client, its redirect URI matched exactly; PageError if not: nothing is sent to an address we do not know."""
    client = site.client(params.get("client_id"))
    if client is None:
        raise PageError("This app is not registered here.")
    if params.get("redirect_uri") not in client.redirect_uris:
        raise PageError("The app asks to return to an address that it has not registered.")
    return client


def read_request(site: Site, client: Client, params: Params) -> AuthRequest:
    """A request that passed every step; OAuthError, to be told to the app, if it failed one."""
    for check in STEPS:
        check(site, client, params)
    return AuthRequest(
        client_id=client.client_id,
        redirect_uri=params["redirect_uri"],
        scopes=_scopes(client, params),
        state=params.get("state"),
        nonce=params.get("nonce"),
        challenge=params["code_challenge"],
        launch=_launch(site, client, params),
        anew="login" in params.get("prompt", "").split(),
    )


def answer_url(site: Site, redirect_uri: str, state: str | None, answer: Params) -> str:
    """Where the browser goes: the answer, `state` and `iss` (RFC 9207 §2) added to the redirect URI's own query."""
    given = {**answer, **({"state": state} if state is not None else {}), "iss": site.base}
    place = urlsplit(redirect_uri)
    query = "&".join(part for part in (place.query, urlencode(given)) if part)
    return place._replace(query=query).geturl()


def _check_response_type(_site: Site, _client: Client, params: Params) -> None:
    if "response_type" not in params:
        raise OAuthError("invalid_request", "response_type is missing")
    if params["response_type"] != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")


def _check_kind(_site: Site, client: Client, _params: Params) -> None:
    if client.kind == "backend":
        raise OAuthError("unauthorized_client", "a backend client has no users to ask")


def _check_pkce(_site: Site, _client: Client, params: Params) -> None:
    if params.get("code_challenge_method") != "S256" or not is_challenge(params.get("code_challenge", "")):
        raise OAuthError("invalid_request", "a code_challenge with method S256 is required")


def _check_audience(site: Site, _client: Client, params: Params) -> None:
    if params.get("aud", "").rstrip("/") != site.fhir_base:
        raise OAuthError("invalid_request", "aud must be this server's FHIR base")


def _check_scope(_site: Site, client: Client, params: Params) -> None:
    scopes = _scopes(client, params)
    if not set(scopes) - {"launch", "launch/patient", "offline_access", "online_access"}:
        raise OAuthError("invalid_scope", "none of these scopes is registered for this client")
    if "launch" in scopes and "launch" not in params:
        raise OAuthError("invalid_request", "the scope launch needs the parameter launch")


STEPS: tuple[Callable[[Site, Client, Params], None], ...] = (
    _check_response_type,
    _check_kind,
    _check_pkce,
    _check_audience,
    _check_scope,
)


def _scopes(client: Client, params: Params) -> tuple[str, ...]:
    asked = tuple(scope for scope in params.get("scope", "").split() if not scope.startswith("system/"))
    return grant(asked, client.scopes)


def _launch(site: Site, client: Client, params: Params) -> Launch | None:
    """The launch, spent only when all else is in order."""
    if "launch" not in params:
        return None
    launch = site.state.take_launch(params["launch"])
    if launch is None or launch.client_id != client.client_id:
        raise OAuthError("invalid_request", "this launch is unknown, used, or another app's")
    return launch
