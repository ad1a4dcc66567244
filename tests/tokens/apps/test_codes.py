"""A code counts once, for a minute, for whom it was made."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from smartapp.errors import CodeRefused, NotSignedIn, RefreshRefused
from smartapp.identity.apps.model import AppState
from smartapp.tokens.apps import pkce, store
from smartapp.tokens.apps.model import CodeFacts
from smartapp.tokens.apps.sealed import TokenSeal
from smartapp.tokens.apps.secrets import Secrets
from smartapp.tokens.apps.store import StoredCode
from tests.tokens.apps.house import ANA, CHALLENGE, OTHER, PROVIDER, READ, REDIRECT, SCOPE, VERIFIER, AppHouse


def refusal(house: AppHouse, code: str, client: str, **changed: str) -> str:
    with pytest.raises(CodeRefused) as refused:
        house.redeem(code, changed.pop("client_id", client), **changed)
    return refused.value.code


@pytest.mark.promise("B1")
def test_what_a_code_buys(worker: AppHouse) -> None:
    app = worker.app()
    grant = worker.grant(app)
    code = worker.code(grant, fhir_context=("ImagingStudy/1",), auth_time=worker.clock.now(), banner=False)
    issued = worker.redeem(code, app.client_id)
    assert issued.access_token.startswith("sat_")
    assert issued.refresh_token is not None
    assert issued.refresh_token.startswith("srt_")
    assert (issued.expires_in, issued.scope) == (3600, SCOPE)
    assert issued.family is not None
    assert (issued.family.nonce, issued.family.fhir_context) == ("n-1", ("ImagingStudy/1",))
    assert (issued.family.auth_time, issued.family.banner) == (worker.clock.now(), False)
    assert issued.grant == grant
    principal = worker.tokens.lookup(PROVIDER, issued.access_token)
    assert (principal.patient, principal.client_id, principal.credential_id) == (ANA, app.client_id, "cred-ana")
    assert worker.kinds()[-1] == "token.issued"


@pytest.mark.threat("O1")
@pytest.mark.clause("RFC 6749", "4.1.2")
def test_a_code_shown_again_kills_what_it_bought(worker: AppHouse) -> None:
    grant = worker.grant(worker.app())
    code = worker.code(grant)
    issued = worker.redeem(code, grant.client_id)
    worker.clock.advance(5)
    assert refusal(worker, code, grant.client_id) == "oauth.code.replay"
    with pytest.raises(NotSignedIn):
        worker.tokens.lookup(PROVIDER, issued.access_token)
    with pytest.raises(RefreshRefused):
        worker.refresh(issued.refresh_token)
    assert worker.kinds(severity="high") == ["oauth.code.replay"]
    assert worker.history(grant.id) == ["approved", "tokens-stopped"]


@pytest.mark.threat("O1")
def test_a_code_shown_again_after_a_year_of_refreshing_still_kills(house: AppHouse) -> None:
    grant = house.grant(house.app())
    code = house.code(grant)
    issued = house.redeem(code, grant.client_id)
    house.clock.advance(300 * 86400)
    house.tokens.tidy()
    newer = house.refresh(issued.refresh_token)
    assert refusal(house, code, grant.client_id) == "oauth.code.replay"
    with pytest.raises(NotSignedIn):
        house.tokens.lookup(PROVIDER, newer.access_token)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"client_id": "app-of-another"}, "oauth.code.client_mismatch"),
        pytest.param({"redirect_uri": ""}, "oauth.code.redirect_mismatch", marks=pytest.mark.threat("O4")),
        pytest.param(
            {"redirect_uri": "https://other.example/callback"},
            "oauth.code.redirect_mismatch",
            marks=pytest.mark.threat("O4"),
        ),
        pytest.param(
            {"redirect_uri": REDIRECT.upper()}, "oauth.code.redirect_mismatch", marks=pytest.mark.threat("O4")
        ),
        ({"redirect_uri": "\ud800"}, "oauth.code.redirect_mismatch"),
        ({"verifier": "w" * 43}, "oauth.pkce.fail"),
        *(
            pytest.param({"verifier": verifier}, "oauth.pkce.fail", marks=pytest.mark.threat("O9"))
            for verifier in ("", "v" * 42, "v" * 129, VERIFIER + "\n", "v" * 42 + "\0", "é" * 43, "v" * 42 + "\ud800")
        ),
        pytest.param({"verifier": CHALLENGE}, "oauth.pkce.fail", id="plain"),
    ],
)
@pytest.mark.clause("RFC 7636", "4.6")
def test_what_is_wrong_with_it_uses_it_up(house: AppHouse, changed: dict[str, str], kind: str) -> None:
    grant = house.grant(house.app())
    code = house.code(grant)
    assert refusal(house, code, grant.client_id, **changed) == kind
    assert house.kinds()[-1] == kind
    assert refusal(house, code, grant.client_id) == "oauth.code.replay"
    assert house.count("app_access_tokens") == 0


@pytest.mark.parametrize("wrong", ["", "sac_", "sac_" + "A" * 43, "x" * 9000, "\ud800", "\0", "sat_" + "A" * 43])
def test_an_unknown_code_consumes_nothing(house: AppHouse, wrong: str) -> None:
    grant = house.grant(house.app())
    code = house.code(grant)
    assert refusal(house, wrong, grant.client_id) == "oauth.code.unknown"
    assert house.redeem(code, grant.client_id).access_token


def test_a_code_is_unknown_at_another_hospital_and_stays_good(house: AppHouse) -> None:
    grant = house.grant(house.app())
    code = house.code(grant)
    assert refusal(house, code, grant.client_id, provider=OTHER) == "oauth.code.unknown"
    assert house.redeem(code, grant.client_id).access_token


@pytest.mark.clause("SMART 2.2 server", "58")
@pytest.mark.parametrize(("after", "works"), [(59.9, True), (60, False)])
def test_it_counts_for_a_minute(house: AppHouse, after: float, *, works: bool) -> None:
    grant = house.grant(house.app())
    code = house.code(grant)
    house.clock.advance(after)
    if works:
        assert house.redeem(code, grant.client_id)
    else:
        assert refusal(house, code, grant.client_id) == "oauth.code.expired"


@pytest.mark.threat("O8")
def test_a_code_without_a_challenge_is_not_made_and_where_forced_buys_nothing(house: AppHouse) -> None:
    grant = house.grant(house.app())
    for challenge in ("", "short", VERIFIER + "="):
        with pytest.raises(ValueError, match="challenge"):
            house.code(grant, challenge=challenge)
    raw, secrets, seal = "sac_" + "F" * 43, Secrets(house.keyring), TokenSeal(house.keyring)
    ref, until = secrets.ref(PROVIDER, raw), house.clock.now() + timedelta(seconds=60)
    sealed = seal.close_code(ref, CodeFacts(grant.client_id, grant.id, REDIRECT, "", SCOPE))
    with house.database.write() as session:
        forced = StoredCode(ref, grant.id, "fam-forced", sealed, until, None, until)
        store.add_code(session, forced)
    assert refusal(house, raw, grant.client_id, verifier="") == "oauth.pkce.downgrade"
    assert house.kinds(severity="high") == ["oauth.pkce.downgrade"]


@pytest.mark.parametrize("state", [AppState.PENDING, AppState.REFUSED, AppState.SUSPENDED])
def test_an_app_that_may_not_act_gets_nothing(house: AppHouse, state: AppState) -> None:
    grant = house.grant(house.app())
    code = house.code(grant)
    house.apps.decide(PROVIDER, grant.client_id, state, ground="unsafe", by="op")
    assert refusal(house, code, grant.client_id) == "oauth.code.dead_grant"


def test_the_codes_of_a_grant_that_ended_are_burned(house: AppHouse) -> None:
    grant = house.grant(house.app())
    code = house.code(grant)
    with house.database.write() as session:
        house.tokens.end_grant(session, grant.id, "ended")
    assert refusal(house, code, grant.client_id).startswith("oauth.code.")
    assert house.count("app_families") == 0


@pytest.mark.promise("E2")
def test_no_table_holds_a_secret_or_names_whose_it_is(house: AppHouse) -> None:
    grant = house.grant(house.app("client_secret_basic"))
    code = house.code(grant, scope=SCOPE + " patient/Patient.r", nonce="canary-nonce")
    issued = house.redeem(code, grant.client_id)
    secrets = {code, issued.access_token, issued.refresh_token, "ana-canary", "canary-nonce", "ImagingStudy"}
    tables = ("app_codes", "app_families", "app_refresh_tokens", "app_access_tokens", "grants", "grant_events")
    with house.database.read() as session:
        rows = [row for table in tables for row in session.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608
    assert len(rows) >= len(tables)
    assert [secret for secret in secrets if secret and secret in repr(rows)] == []


@pytest.mark.parametrize(
    ("scope", "session", "refreshable"),
    [
        (f"openid {READ}", False, False),
        (f"offline_access {READ}", False, True),
        (f"online_access {READ}", True, True),
        (f"online_access {READ}", False, False),
    ],
)
def test_who_may_refresh(house: AppHouse, scope: str, *, session: bool, refreshable: bool) -> None:
    grant = house.grant(house.app())
    opened = house.house.sign_in()
    issued = house.redeem(house.code(grant, scope, session_id=opened.session_id if session else None), grant.client_id)
    assert issued.family is not None
    assert (issued.refresh_token is not None) is issued.family.refreshable is refreshable
    assert issued.family.session_id == (opened.session_id if session else None)


def test_a_lasting_family_is_not_bound_to_the_browser(house: AppHouse) -> None:
    grant = house.grant(house.app())
    opened = house.house.sign_in()
    issued = house.redeem(house.code(grant, session_id=opened.session_id), grant.client_id)
    house.house.identity.end(opened.session_id)
    assert house.tokens.lookup(PROVIDER, issued.access_token)
    assert house.refresh(issued.refresh_token)


@pytest.mark.parametrize("settings", [60, 3600, 7200])
def test_no_access_token_lives_longer_than_an_hour(house: AppHouse, settings: int) -> None:
    house.limits = replace(house.limits, access_lifetime=settings)
    assert house.issued().expires_in == min(settings, 3600)


def test_verifier_and_challenge_of_the_specification() -> None:
    """RFC 7636 appendix B."""
    verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert pkce.verifies(verifier, challenge)
    assert not pkce.verifies(challenge, verifier)
