"""What a waiting request still needs of its person, and what it becomes when nothing is missing."""

from dataclasses import replace
from typing import Literal

from smartapp.sandbox.ehr.config import Client
from smartapp.sandbox.ehr.oauth.authorize import answer_url
from smartapp.sandbox.ehr.oauth.errors import OAuthError
from smartapp.sandbox.ehr.site import Site
from smartapp.sandbox.ehr.state import AuthRequest, Code, Grant, Session, secret
from smartapp.sandbox.world import User

Need = Literal["sign-in", "patient", "approval", "nothing"]


def next_need(request: AuthRequest, client: Client, user: User | None) -> Need:
    """The next question to the person. OAuthError access_denied if the wrong one signed in, or has no record here."""
    if user is None or request.anew:
        return "sign-in"
    if request.launch and request.launch.username != user.username:
        raise OAuthError("access_denied", "somebody else signed in than who launched the app")
    if _needs_patient(request):
        if not user.patients:
            raise OAuthError("access_denied", "there is no record to choose")
        return "patient"
    return "nothing" if client.trusted else "approval"


def settled(request: AuthRequest, user: User) -> AuthRequest:
    """The request with the patient filled in where there is no choice: by the launch, or the only one there is."""
    if request.launch:
        return replace(request, patient=request.launch.patient)
    if _needs_patient(request) and len(user.patients) == 1:
        return replace(request, patient=user.patients[0])
    return request


def approve(site: Site, request: AuthRequest, session: Session) -> str:
    """Where the browser takes the code of an approved request."""
    launch = request.launch
    scopes = set(request.scopes)
    grant = Grant(
        family=secret(),
        client_id=request.client_id,
        scopes=request.scopes,
        user=session.user,
        patient=request.patient,
        imaging_study=launch.imaging_study if launch else None,
        ehr_launch=launch is not None,
        nonce=request.nonce,
        auth_time=session.auth_time,
        # Sign-out ends what began in this session, unless it was asked to live on.
        session=session.id if "online_access" in scopes and "offline_access" not in scopes else None,
    )
    code = site.state.add_code(Code(grant, request.redirect_uri, request.challenge))
    return answer_url(site, request.redirect_uri, request.state, {"code": code})


def refuse(site: Site, request: AuthRequest, error: OAuthError) -> str:
    """Where the browser takes a refusal."""
    answer = {"error": error.error, "error_description": error.description}
    return answer_url(site, request.redirect_uri, request.state, answer)


def _needs_patient(request: AuthRequest) -> bool:
    asks = any(scope == "launch/patient" or scope.startswith("patient/") for scope in request.scopes)
    return asks and request.patient is None
