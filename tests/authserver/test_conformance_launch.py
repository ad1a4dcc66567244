"""SMART App Launch 2.2 as a server, walked by an app and a person: the launches, and what each capability promises."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from smartapp.records.resources.kinds import SERVED
from tests.authserver.house import BEARER, JWKS, basic, signed
from tests.authserver.visit import ALL, ISSUER, REDIRECT, STATE, Visit, landed, visit
from tests.fhir_facade.app import FHIR, Clinic, Json

TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,64}=*", re.ASCII)
"""RFC 6750 §2.1, and so short that it fits into any header."""


def capabilities(at: Visit) -> set[str]:
    found = at.document("/st-elsewhere/fhir/.well-known/smart-configuration").get_json()
    return set(found["capabilities"])


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "48", "49", "53", "56", "57", "59", "136", "164", "170")
@pytest.mark.clause(
    "SMART 2.2 server", "348", "353", "354", "355", "363", "365", "367", "83", "85", "118", "134", "167"
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_standalone_app_is_given_a_patient_and_reads_that_record(shared: Clinic, method: str) -> None:
    at = visit(shared)
    assert {"launch-standalone", "client-public", "context-standalone-patient", "permission-patient"} <= capabilities(
        at
    )
    assert {"authorize-post", "permission-offline"} <= capabilities(at)
    told = at.told(at.authorize(method))
    assert told == {"keep": "1", "code": told["code"], "state": STATE, "iss": ISSUER}
    said = at.exchanged(told["code"])
    assert said["patient"] == "ana"
    assert TOKEN.fullmatch(said["access_token"])
    found = at.read(said["access_token"], "/ImagingStudy?patient=ana").get_json(force=True)
    assert found["total"] == 3
    assert {each["resource"]["subject"]["reference"] for each in found["entry"]} == {"Patient/ana"}
    assert at.read(said["access_token"], "/ImagingStudy?patient=ben").status_code == 403
    again = at.refresh(said["refresh_token"]).get_json()
    assert (again["patient"], at.reads(again["access_token"])) == ("ana", 200)


@pytest.mark.clause("SMART 2.2 server", "54")
def test_a_no_is_told_as_an_error(shared: Clinic) -> None:
    at = visit(shared)
    told = at.told(at.authorize(), "deny")
    assert told == {"keep": "1", "error": "access_denied", "state": STATE, "iss": ISSUER}


@pytest.mark.clause("SMART 2.2 server", "18", "54")
def test_only_a_registered_app_is_answered_and_at_its_registered_address(shared: Clinic) -> None:
    at = visit(shared)
    for changed in ({"client_id": "app-nobody"}, {"redirect_uri": "https://evil.example/cb"}, {"redirect_uri": ""}):
        refused = at.authorize(**changed)
        assert (refused.status_code, "Location" in refused.headers) == (400, False)
    assert landed(at.authorize(response_type="token"))["error"] == "unsupported_response_type"


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "349", "352", "361", "163")
def test_an_app_that_is_opened_here_gets_the_record_that_was_open(shared: Clinic) -> None:
    at = visit(shared)
    assert {"launch-ehr", "client-public", "context-ehr-patient", "permission-patient"} <= capabilities(at)
    sent = at.browser.post(f"/my/{at.browser.ctx}/apps/launch/{at.client_id}")
    begun = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["Location"]).query).items()}
    assert sent.headers["Location"].startswith("https://app.example/launch?")
    assert begun["iss"] == FHIR
    scope = ALL.replace("launch/patient", "launch")
    told = at.told(at.authorize(scope=scope, launch=begun["launch"], aud=begun["iss"]))
    said = at.exchanged(told["code"])
    assert said["patient"] == "ana"
    assert at.reads(said["access_token"]) == 200
    assert landed(at.authorize(scope=scope, launch=begun["launch"]))["error"] == "invalid_request"


@pytest.mark.clause("SMART 2.2 server", "172", "177", "178", "179", "189", "168", "169")
def test_the_study_that_an_app_was_opened_for_is_in_its_context(shared: Clinic) -> None:
    at, grants = visit(shared), shared.parts.app_grants
    session = shared.parts.identity.lookup(at.browser.cookie())
    assert session is not None
    ana = shared.parts.identity.principal(session, at.browser.ctx)
    value = grants.launch_value(ana, at.registered.app, "1.2.3", request_id="")
    said = at.allowed(f"launch {ALL}", launch=value)
    assert said["patient"] == "ana"
    (context,) = said["fhirContext"]
    assert context.keys() == {"reference"}
    study = at.read(said["access_token"], f"/{context['reference']}").get_json(force=True)
    assert study["identifier"][0]["value"] == "urn:oid:1.2.3"
    assert "fhirContext" not in visit(shared).allowed()


@pytest.mark.clause("SMART 2.2 server", "149", "167", "168", "177", "180")
def test_a_standalone_app_that_asks_for_studies_is_told_those_that_were_ticked(shared: Clinic) -> None:
    at = visit(shared, scope=f"launch/imagingstudy {ALL}")
    page = at.authorize(scope=f"launch/imagingstudy {ALL}")
    said = at.exchanged(at.told(page, studies="chosen", study=["1.2.3", "1.5"])["code"])
    assert "launch/imagingstudy" in said["scope"].split()
    studies = [at.read(said["access_token"], f"/{each['reference']}") for each in said["fhirContext"]]
    told = {study.get_json(force=True)["identifier"][0]["value"] for study in studies}
    assert told == {"urn:oid:1.2.3", "urn:oid:1.5"}
    again = at.refresh(said["refresh_token"]).get_json()
    assert (again["scope"], again["fhirContext"]) == (said["scope"], said["fhirContext"])


@pytest.mark.clause("SMART 2.2 server", "149", "177")
@pytest.mark.parametrize("future", ["yes", "no"])
def test_where_no_study_was_ticked_no_context_of_studies_is_granted(shared: Clinic, future: str) -> None:
    at = visit(shared, scope=f"launch/imagingstudy {ALL}")
    said = at.exchanged(at.told(at.authorize(scope=f"launch/imagingstudy {ALL}"), future=future)["code"])
    for answer in (said, at.refresh(said["refresh_token"]).get_json()):
        assert "launch/imagingstudy" not in answer["scope"].split()
        assert "fhirContext" not in answer
    assert at.reads(said["access_token"]) == 200


@pytest.mark.clause("SMART 2.2 server", "100", "366")
def test_online_access_lasts_as_long_as_the_person_is_signed_in(own: Clinic) -> None:
    at = visit(own)
    assert "permission-online" in capabilities(at)
    said = at.allowed(ALL.replace("offline_access", "online_access"))
    assert "online_access" in said["scope"].split()
    second = at.refresh(said["refresh_token"]).get_json()
    assert at.reads(second["access_token"]) == 200
    assert at.browser.post("/sign-out").status_code == 303
    assert at.reads(second["access_token"]) == 401
    assert at.refresh(second["refresh_token"]).get_json()["error"] == "invalid_grant"


@pytest.mark.clause("SMART 2.2 server", "101", "365", "77", "94")
def test_offline_access_goes_on_when_nobody_is_there(own: Clinic) -> None:
    at, hospital = visit(own), own.composed.first
    said = at.allowed()
    hospital.ehr.server.at("/auth/token", hospital.ehr.said_next({"access_token": hospital.token("ana")}))
    assert at.browser.post("/sign-out").status_code == 303
    own.composed.clock.advance(said["expires_in"] - 300)  # this clock runs: a slow machine must not decide
    assert at.reads(said["access_token"]) == 200
    own.composed.clock.advance(300)
    before = own.calls()
    refused = at.read(said["access_token"], "/ImagingStudy")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert own.calls() == before
    own.composed.clock.advance(86400)
    assert at.reads(at.refresh(said["refresh_token"]).get_json()["access_token"]) == 200


@pytest.mark.clause("SMART 2.2 server", "356")
def test_an_app_with_a_secret_shows_it(shared: Clinic) -> None:
    at = visit(shared, token_endpoint_auth_method="client_secret_basic")
    assert "client-confidential-symmetric" in capabilities(at)
    code = at.told(at.authorize())["code"]
    said = at.exchanged(code, basic(at.client_id, at.registered.client_secret or ""))
    assert at.reads(said["access_token"]) == 200


@pytest.mark.clause("SMART 2.2 server", "285", "357")
@pytest.mark.parametrize("alg", ["RS384", "ES384"])
def test_an_app_with_keys_signs(shared: Clinic, alg: str) -> None:
    at = visit(shared, token_endpoint_auth_method="private_key_jwt", jwks=JWKS)
    assert "client-confidential-asymmetric" in capabilities(at)
    code = at.told(at.authorize())["code"]
    now = int(shared.composed.clock.now().timestamp())
    kid = {"RS384": "rsa", "ES384": "p384"}[alg]
    claims = {"iss": at.client_id, "sub": at.client_id, "aud": f"{ISSUER}/oauth/token", "exp": now + 240, "jti": alg}
    assertion = signed({"alg": alg, "kid": kid, "typ": "JWT"}, claims, alg)
    said = at.exchanged(code, client_assertion_type=BEARER, client_assertion=assertion)
    assert at.reads(said["access_token"]) == 200


@pytest.mark.clause("SMART 2.2 server", "200", "205", "207", "209", "210", "358", "381", "382", "198", "203")
def test_who_allowed_it_is_learned_as_openid_connect_says(shared: Clinic) -> None:
    at = visit(shared)
    smart = at.document("/st-elsewhere/fhir/.well-known/smart-configuration").get_json()
    assert "sso-openid-connect" in smart["capabilities"]
    said = at.allowed(nonce="n-0S6_WzA2Mj")
    found = at.document(f"{smart['issuer']}/.well-known/openid-configuration").get_json()
    assert (found["issuer"], found["jwks_uri"]) == (smart["issuer"], smart["jwks_uri"])
    published = at.document(found["jwks_uri"]).get_json()["keys"]
    assert all(key["kty"] in {"RSA", "EC"} and not {"d", "p", "q", "k"} & key.keys() for key in published)
    keys = KeySet.import_key_set({"keys": [key for key in published if key["kty"] == "RSA"]})
    token = jws.deserialize_compact(said["id_token"], keys, algorithms=["RS256"])
    claims = _claims(token.payload)
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (smart["issuer"], at.client_id, "n-0S6_WzA2Mj")
    assert claims["fhirUser"] == f"{FHIR}/Patient/ana"
    person = at.read(said["access_token"], claims["fhirUser"].removeprefix(FHIR)).get_json(force=True)
    assert (person["resourceType"], person["id"]) == ("Patient", "ana")
    assert "id_token" not in visit(shared).allowed("launch/patient patient/*.rs")


def _claims(payload: bytes | None) -> Json:
    found: Json = json.loads(payload or b"")
    return found


@pytest.mark.clause("SMART 2.2 server", "144")
def test_a_wildcard_opens_every_type_that_is_served(shared: Clinic) -> None:
    at = visit(shared)
    token = at.allowed()["access_token"]
    for each in SERVED.values():
        if each.searched:
            assert at.reads(token, f"/{each.type}") == 200, each.type
        if each.own or each.also:
            assert at.reads(token, f"/{each.type}/none") == 404, each.type


@pytest.mark.clause("SMART 2.2 server", "126", "127", "128", "369")
def test_v1_scopes_are_read_and_answered(shared: Clinic) -> None:
    at = visit(shared)
    assert "permission-v1" in capabilities(at)
    said = at.allowed("launch/patient patient/ImagingStudy.read")
    assert said["scope"] == "launch/patient patient/ImagingStudy.read"
    study = at.read(said["access_token"], "/ImagingStudy").get_json(force=True)["entry"][0]["resource"]["id"]
    assert at.reads(said["access_token"], f"/ImagingStudy/{study}") == 200
    assert at.reads(said["access_token"], "/DiagnosticReport") == 403


@pytest.mark.clause("SMART 2.2 server", "370", "78", "95")
def test_a_scope_with_a_search_parameter_opens_what_that_search_finds(shared: Clinic) -> None:
    at = visit(shared)
    assert "permission-v2" in capabilities(at)
    said = at.allowed("launch/patient patient/ImagingStudy.rs?modality=PT")
    assert said["scope"] == "launch/patient patient/ImagingStudy.rs?modality=PT"
    narrow = at.read(said["access_token"], "/ImagingStudy").get_json(force=True)
    assert [each["resource"]["identifier"][0]["value"] for each in narrow["entry"]] == ["urn:oid:1.5"]
    wide = visit(shared)
    (chest,) = wide.read(wide.allowed()["access_token"], "/ImagingStudy?identifier=1.2.3").get_json(force=True)["entry"]
    assert at.reads(said["access_token"], f"/ImagingStudy/{chest['resource']['id']}") == 404
    assert at.reads(said["access_token"], "/DiagnosticReport") == 403


@pytest.mark.clause("SMART 2.2 server", "164", "165")
def test_scopes_of_a_patient_bring_the_patient_also_where_the_app_did_not_ask(shared: Clinic) -> None:
    at = visit(shared)
    said = at.allowed("patient/ImagingStudy.rs")
    assert said["patient"] == "ana"
    assert at.reads(said["access_token"]) == 200


@pytest.mark.clause("SMART 2.2 server", "79", "115", "145", "109", "113", "114")
def test_what_is_told_is_what_was_granted_also_after_a_refresh(shared: Clinic) -> None:
    at = visit(shared)
    told = at.told(at.authorize(scope=f"{ALL} user/Observation.rs patient/ImagingStudy.cruds"), images="none")
    said = at.exchanged(told["code"])
    granted = said["scope"].split()
    assert not {"user/Observation.rs", "patient/ImagingStudy.cruds"} & set(granted)
    assert at.reads(said["access_token"]) == 200
    second = at.refresh(said["refresh_token"]).get_json()
    assert second["scope"] == said["scope"]
    narrow = at.refresh(second["refresh_token"], scope="patient/ImagingStudy.s").get_json()
    assert narrow["scope"] == "patient/ImagingStudy.s"


@pytest.mark.clause("SMART 2.2 server", "96")
@pytest.mark.parametrize(
    "aud", ["", "https://images.example.org/mercy/fhir", ISSUER, f"{FHIR}/Patient", FHIR.replace("https", "http")]
)
def test_a_token_is_for_the_fhir_base_that_was_named(shared: Clinic, aud: str) -> None:
    at = visit(shared)
    assert landed(at.authorize(aud=aud))["error"] == "invalid_request"
    token = at.allowed()["access_token"]
    assert at.reads(token) == 200
    assert at.read(token, "/ImagingStudy", provider="mercy").status_code == 401


@pytest.mark.clause("SMART 2.2 server", "14", "15", "31")
def test_no_code_without_a_challenge_of_s256_and_no_token_without_its_verifier(shared: Clinic) -> None:
    at = visit(shared)
    for changed in ({"code_challenge": ""}, {"code_challenge_method": "plain"}, {"code_challenge_method": ""}):
        assert landed(at.authorize(**changed))["error"] == "invalid_request"
    for verifier in ({}, {"code_verifier": "w" * 64}):
        form: dict[str, Any] = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "client_id": at.client_id}
        code = at.told(at.authorize())["code"]
        assert at.post("token", {**form, "code": code, **verifier}).status_code == 400
