"""What is told of a token, and how it ends: introspection, revocation, userinfo, sign-out."""

from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

import smartapp.web
from smartapp.consent.grants.model import GrantState
from smartapp.errors import PermitEnded
from smartapp.identity.model import Display, PatientKey, PrincipalKind
from tests.authserver.house import AFTER, BASE, ISSUER, PROVIDER, AuthHouse, basic


@pytest.mark.clause("RFC 7662", "2.2", "4")
@pytest.mark.clause(
    "SMART 2.2 server", "99", "269", "271", "272", "273", "274", "275", "276", "277", "278", "279", "280", "281"
)
def test_a_client_learns_what_its_own_token_is_good_for(both: AuthHouse) -> None:
    made, other = both.registered("client_secret_basic"), both.registered("client_secret_basic")
    app, headers = made.app, basic(made.app.client_id, made.client_secret or "")
    form = both.form(both.code(both.grant(app), fhir_context=("ImagingStudy/s1",)), app)
    said = both.ok(both.post("token", form, headers=headers))

    def told(token: str, headers: dict[str, str] = headers, **more: str) -> dict[str, Any]:
        return both.ok(both.post("introspect", {"token": token, **more}, headers=headers))

    found = told(said["access_token"], token_type_hint="refresh_token")
    now = int(both.clock.now().timestamp())
    assert (found["active"], found["client_id"], found["iss"]) == (True, app.client_id, ISSUER)
    assert (found["iat"], found["exp"]) == (now, now + said["expires_in"])
    for name in ("scope", "patient", "fhirContext", "need_patient_banner", "authorization_details", "smart_style_url"):
        assert found[name] == said[name]
    assert found["fhirUser"] == f"{ISSUER}/fhir/Patient/ana-canary"
    userinfo = both.get(f"/{PROVIDER}/oauth/userinfo", headers={"Authorization": f"Bearer {said['access_token']}"})
    assert both.ok(userinfo)["sub"] == found["sub"]
    assert told(said["refresh_token"])["active"] is True
    for token in ("unknown", "sat_unknown", said["id_token"]):
        assert told(token) == {"active": False}
    stranger = basic(other.app.client_id, other.client_secret or "")
    assert told(said["access_token"], stranger) == {"active": False}
    both.clock.advance(said["expires_in"])
    assert told(said["access_token"]) == {"active": False}


@pytest.mark.clause("RFC 7662", "2.1")
def test_introspection_is_for_clients_that_show_themselves(house: AuthHouse) -> None:
    app = house.app()
    said = house.tokens(app)
    answer = house.post("introspect", {"token": said["access_token"], "client_id": app.client_id})
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    nameless = house.post("introspect", {"token": said["access_token"]})
    assert (nameless.status_code, nameless.get_json()["error"]) == (401, "invalid_client")


@pytest.mark.threat("O35")
@pytest.mark.parametrize("state", [GrantState.ENDED, GrantState.PAUSED])
def test_introspection_keeps_nothing(house: AuthHouse, state: GrantState) -> None:
    made = house.registered("client_secret_basic")
    headers, grant = basic(made.app.client_id, made.client_secret or ""), house.grant(made.app)
    said = house.ok(house.post("token", house.form(house.code(grant), made.app), headers=headers))
    ask = {"token": said["access_token"]}
    assert house.ok(house.post("introspect", ask, headers=headers))["active"] is True
    with house.ground.database.write() as session:
        house.grants.set_state(session, grant.id, state, kind="x", by="patient")
    assert house.ok(house.post("introspect", ask, headers=headers)) == {"active": False}


@pytest.mark.threat("O36")
@pytest.mark.clause("RFC 7009", "2.1", "2.2")
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
def test_giving_back_a_token_ends_its_family(house: AuthHouse, which: str, hint: str) -> None:
    app, other = house.app(), house.app()
    said = house.tokens(app)
    assert house.reads(said["access_token"]) == 200
    stolen = house.post("revoke", {"token": said[which], "client_id": other.client_id})
    assert (stolen.status_code, house.reads(said["access_token"])) == (400, 200)
    for token in ("unknown", said[which], said[which]):
        answer = house.post("revoke", {"token": token, "client_id": app.client_id, "token_type_hint": hint})
        assert answer.status_code == 200
    assert house.reads(said["access_token"]) == 401
    assert house.refresh(said["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert "oauth.revoke" in house.kinds()


@pytest.mark.clause("RFC 7009", "2.2.1")
def test_revocation_wants_a_token_and_a_client(house: AuthHouse) -> None:
    assert house.post("revoke", {"client_id": house.app().client_id}).get_json()["error"] == "invalid_request"
    assert house.post("revoke", {"token": "x", "client_id": "nobody"}).status_code == 401


@pytest.mark.threat("O58")
@pytest.mark.threat("O59")
@pytest.mark.clause("RFC 6750", "2.1", "3.1")
def test_only_an_access_token_in_the_header_opens_anything(house: AuthHouse) -> None:
    said = house.tokens()
    path, token = f"/{PROVIDER}/oauth/userinfo", said["access_token"]
    assert house.get(f"{path}?access_token={token}").status_code == 401
    assert house.http.post(path, base_url=BASE, data={"access_token": token}).status_code == 401
    for header in (f"Bearer  {token}", f"Bearer {token}, Bearer {token}", f"Bearer {said['id_token']}", "Bearer x"):
        answer = house.get(path, headers={"Authorization": header})
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert house.reads(said["refresh_token"]) == 401
    assert (
        house.get(path.replace(PROVIDER, "st-mercy"), headers={"Authorization": f"Bearer {token}"}).status_code == 401
    )
    assert house.reads(token) == 200


LOGOUT = f"/{PROVIDER}/oauth/logout"


@pytest.mark.clause("RP-Initiated Logout 1.0", "2", "3")
def test_who_is_not_signed_in_goes_back_to_the_registered_address(house: AuthHouse) -> None:
    app = house.app()
    hint = house.tokens(app)["id_token"]
    house.clock.advance(86400)  # an id_token that is over still names its app
    for given in ({"id_token_hint": hint}, {"client_id": app.client_id}):
        answer = house.get(LOGOUT, query_string={**given, "post_logout_redirect_uri": AFTER, "state": "a&b=c"})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{AFTER}?state=a%26b%3Dc")
    assert house.get(LOGOUT).headers["Location"] == "/signed-out"


@pytest.mark.clause("RP-Initiated Logout 1.0", "2", "4")
def test_nobody_is_sent_to_an_address_that_was_not_registered(house: AuthHouse) -> None:
    app, other = house.app(), house.app(post_logout_redirect_uris=())
    hint = house.tokens(app)["id_token"]
    forged = jwt.encode({"alg": "RS256"}, {"iss": ISSUER, "aud": app.client_id}, RSAKey.generate_key(2048))
    for given in (
        {"post_logout_redirect_uri": AFTER},
        {"post_logout_redirect_uri": AFTER, "client_id": "nobody"},
        {"post_logout_redirect_uri": AFTER, "client_id": other.client_id},
        {"post_logout_redirect_uri": AFTER, "id_token_hint": forged},
        {"post_logout_redirect_uri": AFTER, "id_token_hint": hint, "client_id": other.client_id},
        {"post_logout_redirect_uri": AFTER + "/", "id_token_hint": hint},
        {"post_logout_redirect_uri": "https://evil.example", "id_token_hint": hint},
        {"post_logout_redirect_uri": [AFTER, AFTER], "id_token_hint": hint},
    ):
        answer = house.get(LOGOUT, query_string=given)
        assert answer.status_code == 400
        assert "Location" not in answer.headers


def signed_in(house: AuthHouse) -> str:
    """Ana in her browser; the id of her session."""
    with house.ground.database.write() as session:
        opened = house.parts.identity.open_session(
            session,
            provider=PROVIDER,
            iss="http://127.0.0.1:9/st-elsewhere",
            sub="ana",
            fhir_user="Patient/ana-canary",
            kind=PrincipalKind.PATIENT,
            patient=PatientKey(PROVIDER, "ana-canary"),
            credential_id="cred-ana",
            display=Display("Ana", "Ana"),
            user_agent="",
            replaces=None,
        )
    house.http.set_cookie("smartapp-session-8123", opened.cookie, domain="127.0.0.1")
    return opened.session_id


@pytest.mark.threat("W1")
@pytest.mark.clause("RP-Initiated Logout 1.0", "2", "3")
def test_who_is_signed_in_is_asked_and_then_signed_out(house: AuthHouse) -> None:
    app = house.app(client_name="<b>An app</b>")
    session_id = signed_in(house)
    form = {"client_id": app.client_id, "post_logout_redirect_uri": AFTER, "state": "s"}
    page = house.get(LOGOUT, query_string=form)
    assert page.status_code == 200
    assert "&lt;b&gt;An app&lt;/b&gt;" in page.text
    assert "form-action 'self' https://app.example" in page.headers["Content-Security-Policy"]
    confirm = f"{LOGOUT}/confirm"
    assert house.http.post(confirm, base_url=BASE, data=form).status_code == 400
    house.parts.identity.require_live(session_id)
    token = house.ground.keyring.mac("csrf", session_id)
    evil = {**form, "csrf_token": token, "post_logout_redirect_uri": "https://evil.example"}
    assert house.http.post(confirm, base_url=BASE, data=evil).status_code == 400
    house.parts.identity.require_live(session_id)
    answer = house.http.post(confirm, base_url=BASE, data={**form, "csrf_token": token})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{AFTER}?state=s")
    with pytest.raises(PermitEnded):
        house.parts.identity.require_live(session_id)


def test_a_form_of_the_app_is_asked_anew_by_address(house: AuthHouse) -> None:
    """Its cookies do not come along: taken at its word it would say that nobody is signed in."""
    app = house.app()
    form = {"client_id": app.client_id, "post_logout_redirect_uri": AFTER}
    answer = house.http.post(LOGOUT, base_url=BASE, data=form, headers={"Origin": "https://app.example"})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{LOGOUT}?client_id={app.client_id}")
    assert house.http.post(f"{LOGOUT}/confirm", base_url=BASE, data=form).status_code == 401


@pytest.mark.clause("SMART 2.2 server", "175", "360")
def test_the_style_is_that_of_our_pages(house: AuthHouse) -> None:
    css = (Path(smartapp.web.__file__).parent / "static" / "app.css").read_text()
    style = house.ok(house.get("/smart-style.json"))
    names = {"color_background": "paper", "color_error": "bad", "color_highlight": "accent", "color_success": "good"}
    for name, variable in {**names, "color_text": "ink"}.items():
        assert css.partition(f"--{variable}: ")[2].startswith(f"{style[name]};")
    assert f"--radius: {style['dim_border_radius']};" in css
