"""The way back: what must hold before the token endpoint is asked, and what the answer must say."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from smartapp.db.base import Base
from smartapp.db.unit import Database
from smartapp.errors import LaunchRefused
from smartapp.identity.model import PrincipalKind
from smartapp.launch.pkce import s256
from smartapp.security.keyring import Keyring
from tests.launch.fake_ehr import CLIENT, PATIENT, FakeEhr, query_of
from tests.launch.house import House, fake_house, sign_in
from tests.launch.server import Said, said

TABLES = [Base.metadata.tables[name] for name in ("audit_events", "ehr_credentials", "single_use")]


@pytest.mark.clause("SMART 2.2", "13", "68", "69", "70")
@pytest.mark.promise("A1")
def test_a_launch_that_holds_together(house: House, fake_ehr: FakeEhr) -> None:
    begun = house.launcher.begin(provider_id="st-elsewhere")
    done = house.launcher.complete(fake_ehr.consent(begun.authorize_url), begun.browser_secret)
    assert (done.provider, done.patient_id, done.sub) == ("st-elsewhere", PATIENT, "person-1")
    assert done.iss == fake_ehr.issuer
    assert done.fhir_user == f"Patient/{PATIENT}"
    assert done.relation is PrincipalKind.PATIENT
    form = fake_ehr.token_requests[0].form
    assert form["client_id"] == CLIENT
    assert form["code"] == "code-1"
    assert form["redirect_uri"] == "https://images.example.org/callback"
    assert s256(form["code_verifier"]) == query_of(begun.authorize_url)["code_challenge"][0]
    assert house.kinds() == ["smart.launch"]


def refused(house: House, params: dict[str, list[str]], secret: str | None) -> str:
    with pytest.raises(LaunchRefused) as error:
        house.launcher.complete(params, secret)
    return error.value.code


@pytest.mark.clause("SMART 2.2", "4", "39", "60", "61")
@pytest.mark.threat("S6")
@pytest.mark.threat("S8")
def test_a_state_is_good_once_and_in_its_own_browser(house: House, fake_ehr: FakeEhr) -> None:
    begun = house.launcher.begin(provider_id="st-elsewhere")
    other = house.launcher.begin(provider_id="st-elsewhere")
    back = fake_ehr.consent(begun.authorize_url)
    assert refused(house, back, other.browser_secret) == "smart.state.bad"
    assert refused(house, back, begun.browser_secret) == "smart.state.bad"
    assert refused(house, fake_ehr.consent(other.authorize_url), None) == "smart.state.bad"
    assert fake_ehr.token_requests == []
    assert house.severities("smart.state.bad") == ["high"] * 3


@pytest.mark.clause("SMART 2.2", "4", "39", "60")
@pytest.mark.threat("S6")
@pytest.mark.parametrize("state", [None, "", "made-up", "a" * 9000])
def test_a_state_that_is_none_of_ours(house: House, fake_ehr: FakeEhr, state: str | None) -> None:
    begun = house.launcher.begin(provider_id="st-elsewhere")
    assert refused(house, fake_ehr.consent(begun.authorize_url, state=state), begun.browser_secret).startswith("smart.")
    assert fake_ehr.token_requests == []


@pytest.mark.clause("SMART 2.2", "4")
@pytest.mark.threat("S6")
def test_a_state_is_too_old_after_ten_minutes(house: House, fake_ehr: FakeEhr) -> None:
    begun = house.launcher.begin(provider_id="st-elsewhere")
    house.clock.advance(601)
    assert refused(house, fake_ehr.consent(begun.authorize_url), begun.browser_secret) == "smart.state.bad"


@pytest.mark.threat("S6")
def test_of_many_callbacks_at_once_one_reaches_the_token_endpoint(
    fake_ehr: FakeEhr, database: Database, keyring: Keyring
) -> None:
    house = fake_house(fake_ehr, database, keyring)
    begun = house.launcher.begin(provider_id="st-elsewhere")
    back = fake_ehr.consent(begun.authorize_url)

    def call(_number: int) -> bool:
        try:
            house.launcher.complete(back, begun.browser_secret)
        except LaunchRefused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(call, range(6))) == 1
    assert len(fake_ehr.token_requests) == 1


@pytest.mark.threat("S7")
@pytest.mark.clause("RFC 9207", "2.4")
@pytest.mark.parametrize("iss", [None, "https://other.example", ""])
@pytest.mark.parametrize("error", [None, "access_denied"])
def test_an_answer_of_another_issuer_is_refused(
    house: House, fake_ehr: FakeEhr, iss: str | None, error: str | None
) -> None:
    begun = house.launcher.begin(provider_id="st-elsewhere")
    assert refused(house, fake_ehr.consent(begun.authorize_url, iss=iss, error=error), begun.browser_secret) == (
        "smart.mixup"
    )
    assert fake_ehr.token_requests == []


@pytest.mark.clause("RFC 9207", "3")
def test_an_ehr_that_does_not_promise_iss_may_leave_it_out_but_not_lie(house: House, fake_ehr: FakeEhr) -> None:
    del fake_ehr.metadata["authorization_response_iss_parameter_supported"]
    begun = house.launcher.begin(provider_id="st-elsewhere")
    done = house.launcher.complete(fake_ehr.consent(begun.authorize_url, iss=None), begun.browser_secret)
    assert done.iss == fake_ehr.issuer
    again = house.launcher.begin(provider_id="st-elsewhere")
    assert refused(house, fake_ehr.consent(again.authorize_url, iss="https://x"), again.browser_secret) == "smart.mixup"


@pytest.mark.clause("RFC 6749", "3.1")
@pytest.mark.parametrize("name", ["state", "code", "iss", "error", "whatever"])
def test_a_parameter_given_twice_is_refused(house: House, fake_ehr: FakeEhr, name: str) -> None:
    begun = house.launcher.begin(provider_id="st-elsewhere")
    back = fake_ehr.consent(begun.authorize_url)
    back[name] = [*back.get(name, ["a"]), "b"]
    assert refused(house, back, begun.browser_secret) == "smart.callback.bad"
    assert fake_ehr.token_requests == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"error": "access_denied"}, "smart.authorize.denied"),
        ({"error": "server_error", "code": None}, "smart.authorize.error"),
        ({"error": "<script>", "code": None}, "smart.authorize.error"),
        ({"code": None}, "smart.authorize.error"),
        ({"code": ""}, "smart.authorize.error"),
    ],
)
def test_an_answer_without_a_code(house: House, fake_ehr: FakeEhr, changed: dict[str, Any], code: str) -> None:
    begun = house.launcher.begin(provider_id="st-elsewhere")
    assert refused(house, fake_ehr.consent(begun.authorize_url, **changed), begun.browser_secret) == code
    assert fake_ehr.token_requests == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"token_type": "mac"}, "smart.token.bad"),
        ({"token_type": None}, "smart.token.bad"),
        ({"access_token": None}, "smart.token.bad"),
        ({"access_token": "a\nb"}, "smart.token.bad"),
        ({"access_token": ["x"]}, "smart.token.bad"),
        ({"expires_in": -1}, "smart.token.bad"),
        ({"expires_in": True}, "smart.token.bad"),
        ({"expires_in": 1e400}, "smart.token.bad"),
        ({"expires_in": "soon"}, "smart.token.bad"),
        ({"scope": ["openid"]}, "smart.token.bad"),
        ({"patient": None}, "smart.context.missing"),
        ({"patient": "../p2"}, "smart.context.missing"),
        ({"patient": 1}, "smart.context.missing"),
    ],
)
def test_a_token_answer_that_cannot_be_used(
    house: House, fake_ehr: FakeEhr, changed: dict[str, Any], code: str
) -> None:
    fake_ehr.answer.update(changed)
    begun = house.launcher.begin(provider_id="st-elsewhere")
    assert refused(house, fake_ehr.consent(begun.authorize_url), begun.browser_secret) == code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (said({"error": "invalid_grant"}, 400), "smart.token.refused"),
        (said({"error": "a token: eyJ..."}, 401), "smart.token.refused"),
        (Said(b"<html>", 200, "text/html"), "smart.token.bad"),
        (Said(b'{"patient": "p1", "patient": "p2"}'), "smart.token.bad"),
        (said({}, 302, Location="/elsewhere"), "smart.token.refused"),
    ],
)
def test_a_token_endpoint_that_gives_none(house: House, fake_ehr: FakeEhr, answer: Said, code: str) -> None:
    fake_ehr.server.at("/auth/token", answer)
    begun = house.launcher.begin(provider_id="st-elsewhere")
    assert refused(house, fake_ehr.consent(begun.authorize_url), begun.browser_secret) == code
    assert len(fake_ehr.token_requests) == 1


def test_what_fails_after_the_tokens_gives_them_back(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.claims["nonce"] = "another"
    with pytest.raises(LaunchRefused):
        sign_in(house, fake_ehr)
    assert [asked.form["token"] for asked in fake_ehr.server.asked("/auth/revoke")] == ["refresh-1", "access-1"]


@pytest.mark.clause("SMART 2.2", "147")
@pytest.mark.threat("S17")
@pytest.mark.parametrize(
    ("granted", "effect"),
    [
        (
            "openid fhirUser patient/*.rs",
            {"openid", "fhirUser", "patient/ImagingStudy.rs", "patient/DiagnosticReport.rs"},
        ),
        ("patient/ImagingStudy.cruds user/*.rs openid", {"openid", "patient/ImagingStudy.rs"}),
        ("patient/ImagingStudy.read", {"patient/ImagingStudy.rs"}),
        ("patient/ImagingStudy.rs?modality=CT", {"patient/ImagingStudy.rs?modality=CT"}),
        ("patient/ImagingStudy.sr system/*.rs nonsense", set()),
        ("", set()),
    ],
)
def test_what_is_in_effect_is_what_was_asked_and_granted(
    house: House, fake_ehr: FakeEhr, granted: str, effect: set[str]
) -> None:
    fake_ehr.answer["scope"] = granted
    assert set(sign_in(house, fake_ehr).scopes) == effect
    assert "smart.scope" in house.kinds()


@pytest.mark.threat("S17")
@pytest.mark.clause("RFC 6749", "5.1")
def test_an_answer_without_scope_means_as_asked(house: House, fake_ehr: FakeEhr) -> None:
    del fake_ehr.answer["scope"]
    assert "patient/ImagingStudy.rs" in sign_in(house, fake_ehr).scopes
    assert "smart.scope" not in house.kinds()


@pytest.mark.clause("SMART 2.2", "202")
@pytest.mark.threat("S13")
@pytest.mark.parametrize(
    ("user", "relation", "kinds"),
    [
        ("Patient/p1", PrincipalKind.PATIENT, []),
        ("Patient/p2", PrincipalKind.REPRESENTATIVE, ["smart.context.mismatch"]),
        ("RelatedPerson/r1", PrincipalKind.REPRESENTATIVE, []),
        ("Practitioner/d1", PrincipalKind.CLINICIAN, []),
        ("PractitionerRole/d1", PrincipalKind.CLINICIAN, []),
    ],
)
@pytest.mark.parametrize("absolute", [True, False])
def test_who_signed_in_decides_what_they_are(
    house: House, fake_ehr: FakeEhr, user: str, relation: PrincipalKind, kinds: list[str], *, absolute: bool
) -> None:
    fake_ehr.claims["fhirUser"] = f"{fake_ehr.iss}/{user}" if absolute else user
    done = sign_in(house, fake_ehr)
    assert (done.relation, done.fhir_user) == (relation, user)
    assert house.kinds() == ["smart.launch", *kinds]


@pytest.mark.threat("S14")
@pytest.mark.clause("SMART 2.2 server", "197", "198")
@pytest.mark.parametrize(
    "user",
    [
        None, "", "Device/1", "https://evil.example/Patient/p1", "../Patient/p1", "Patient/p1/", "Patient/..",
        "patient/p1", "Patient/p1?x", "Patient/p1#x", "Patient/p1\n", "Patient/" + "a" * 65, "Patient", "Group/1",
        "http://127.0.0.1/fhir/Patient/p1", 7,
    ],
)  # fmt: skip
def test_a_person_whom_we_cannot_place_is_refused(house: House, fake_ehr: FakeEhr, user: Any) -> None:
    fake_ehr.claims["fhirUser"] = user
    with pytest.raises(LaunchRefused) as error:
        sign_in(house, fake_ehr)
    assert error.value.code == "smart.fhiruser.bad"


def test_the_launch_context_may_name_a_study(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.answer["fhirContext"] = [
        {"reference": "ImagingStudy/i1"}, {"reference": "https://evil/ImagingStudy/2"}, {"canonical": "x"}, 7,
        {"reference": "ServiceRequest/1"}, {"reference": ["ImagingStudy/3"]},
    ]  # fmt: skip
    fake_ehr.answer["need_patient_banner"] = False
    done = sign_in(house, fake_ehr)
    assert done.imaging_studies == ("ImagingStudy/i1",)
    assert done.need_patient_banner is False


@pytest.mark.clause("SMART 2.2", "191")
def test_a_context_without_a_role_is_what_was_launched_and_one_with_another_is_not(
    house: House, fake_ehr: FakeEhr
) -> None:
    fake_ehr.answer["fhirContext"] = [
        {"reference": "ImagingStudy/plain"}, {"reference": "ImagingStudy/same", "role": "launch"},
        {"reference": "ImagingStudy/prior", "role": "https://ehr.example.org/comparison"},
        {"reference": "ImagingStudy/odd", "role": 7}, {"reference": "ImagingStudy/empty", "role": ""},
    ]  # fmt: skip
    assert sign_in(house, fake_ehr).imaging_studies == ("ImagingStudy/plain", "ImagingStudy/same")


@pytest.mark.clause("SMART 2.2", "8", "90")
@pytest.mark.promise("E1")
def test_nothing_that_was_received_shows_in_the_audit_trail_or_a_repr(house: House, fake_ehr: FakeEhr) -> None:
    done = sign_in(house, fake_ehr)
    with house.database.read() as session:
        dump = "".join(str(row) for table in TABLES for row in session.execute(select(table)))
    for secret in ("access-1", "refresh-1", "code-1", "person-1"):
        assert secret not in dump
    assert "access-1" not in repr(done)
