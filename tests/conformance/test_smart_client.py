"""The launch as SMART App Launch 2.2 asks it of a client: what goes to the EHR, field by field and nothing besides."""

from base64 import urlsafe_b64decode
from typing import Any

import pytest

from smartapp.db.unit import Database
from smartapp.launch.pkce import s256
from smartapp.security.keyring import Keyring
from tests.launch.fake_ehr import CLIENT, FakeEhr, query_of
from tests.launch.house import SCOPES, House, fake_house, permit_for, sign_in

CALLBACK = "https://images.example.org/callback"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.clause("SMART 2.2", "29")
def test_discovery_is_a_get_that_wants_json_and_its_endpoints_are_the_ones_used(
    house: House, fake_ehr: FakeEhr
) -> None:
    sign_in(house, fake_ehr)
    asked = fake_ehr.server.log[0]
    assert (asked.method, asked.path) == ("GET", "/fhir/.well-known/smart-configuration")
    assert asked.headers["accept"] == "application/json"
    assert "authorization" not in asked.headers
    moved = fake_house(fake_ehr, house.database, house.keyring)
    fake_ehr.metadata.update(
        authorization_endpoint=f"{fake_ehr.origin}/new/a", token_endpoint=f"{fake_ehr.origin}/new/t"
    )
    fake_ehr.server.at("/new/t", fake_ehr.token)
    begun = moved.launcher.begin(provider_id="st-elsewhere")
    assert begun.authorize_url.startswith(f"{fake_ehr.origin}/new/a?")
    moved.launcher.complete(fake_ehr.consent(begun.authorize_url), begun.browser_secret)
    assert len(fake_ehr.server.asked("/new/t")) == 1


@pytest.mark.clause(
    "SMART 2.2", "3", "32", "33", "34", "35", "36", "37", "39", "41", "45", "47", "51", "196", "211", "317"
)
@pytest.mark.parametrize("launch", ["from the EHR & =", None])
def test_the_authorization_request_holds_what_is_named_and_nothing_else(
    house: House, fake_ehr: FakeEhr, launch: str | None
) -> None:
    where: dict[str, Any] = {"iss": fake_ehr.iss, "launch": launch} if launch else {"provider_id": "st-elsewhere"}
    asked = query_of(house.launcher.begin(**where).authorize_url)
    fixed = {
        "tenant": ["7"],
        "response_type": ["code"],
        "client_id": [CLIENT],
        "redirect_uri": [CALLBACK],
        "aud": [fake_ehr.iss],
        "code_challenge_method": ["S256"],
        **({"launch": [launch]} if launch else {}),
    }
    assert {name: asked[name] for name in fixed} == fixed
    assert asked.keys() - fixed.keys() == {"scope", "state", "nonce", "code_challenge"}
    context = "launch" if launch else "launch/patient"
    assert sorted(asked["scope"][0].split(" ")) == sorted([context, *SCOPES])


@pytest.mark.clause("SMART 2.2", "2", "40")
def test_a_state_has_at_least_122_bits_that_nobody_can_foresee(house: House) -> None:
    begun = [house.launcher.begin(provider_id="st-elsewhere") for _ in range(64)]
    states = [query_of(one.authorize_url)["state"][0] for one in begun]
    assert len(set(states)) == 64
    numbers = [int.from_bytes(urlsafe_b64decode(state + "=" * (-len(state) % 4))) for state in states]
    ever, always = 0, -1
    for number in numbers:
        ever, always = ever | number, always & number
    assert (ever & ~always).bit_count() >= 122, "bits that are now 0, now 1"


@pytest.mark.clause("SMART 2.2", "13", "44", "62", "63", "67", "68", "69", "70", "71")
def test_a_public_client_redeems_the_code_with_what_is_named_and_nothing_else(house: House, fake_ehr: FakeEhr) -> None:
    begun = house.launcher.begin(provider_id="st-elsewhere")
    house.launcher.complete(fake_ehr.consent(begun.authorize_url, code="a code +&="), begun.browser_secret)
    (asked,) = fake_ehr.token_requests
    assert (asked.method, asked.query, asked.headers["content-type"]) == ("POST", {}, FORM)
    assert "authorization" not in asked.headers
    form = dict(asked.form)
    authorized = query_of(begun.authorize_url)
    assert s256(form.pop("code_verifier")) == authorized["code_challenge"][0]
    assert form == {
        "grant_type": "authorization_code",
        "code": "a code +&=",
        "redirect_uri": authorized["redirect_uri"][0],
        "client_id": CLIENT,
    }


@pytest.mark.clause("SMART 2.2", "105", "106", "108")
def test_a_refresh_holds_the_newest_refresh_token_and_asks_for_no_scope(house: House, fake_ehr: FakeEhr) -> None:
    permit = permit_for(sign_in(house, fake_ehr))
    given = iter(({"refresh_token": "refresh-2"}, {}))
    fake_ehr.server.at("/auth/token", lambda _asked: fake_ehr.said_next(next(given)))
    for _ in range(2):
        house.clock.advance(4000)
        assert house.keeper.bearer(permit) == "access-next"
    asked = fake_ehr.token_requests[1:]
    assert [(one.method, one.headers["content-type"]) for one in asked] == [("POST", FORM)] * 2
    assert [one.form for one in asked] == [
        {"grant_type": "refresh_token", "refresh_token": token, "client_id": CLIENT}
        for token in ("refresh-1", "refresh-2")
    ]


@pytest.mark.clause("SMART 2.2", "132", "135", "137", "146", "215", "216")
def test_scopes_are_asked_as_they_are_configured(
    fake_ehr: FakeEhr, sqlite_database: Database, keyring: Keyring
) -> None:
    scopes = (
        "openid", "fhirUser", "online_access", "offline_access", "patient/*.rs",
        "patient/DiagnosticReport.rs?category=http://terminology.hl7.org/CodeSystem/v2-0074|RAD&status=final",
    )  # fmt: skip
    house = fake_house(fake_ehr, sqlite_database, keyring, scopes=scopes)
    asked = query_of(house.launcher.begin(provider_id="st-elsewhere").authorize_url)["scope"][0].split(" ")
    assert sorted(asked) == sorted([*scopes, "launch/patient"])


@pytest.mark.clause("SMART 2.2", "193")
@pytest.mark.parametrize("intent", ["reconcile-medications", "", None, 7, ["x"]])
def test_an_intent_that_we_do_not_know_changes_nothing(house: House, fake_ehr: FakeEhr, intent: Any) -> None:
    plain = sign_in(house, fake_ehr)
    fake_ehr.answer["intent"] = intent
    assert sign_in(house, fake_ehr).patient_id == plain.patient_id
    assert house.kinds() == ["smart.launch"] * 2
