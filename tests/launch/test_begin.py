"""The first redirect: whom we ask, where we send the browser, and what we refuse before any packet leaves."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.db.unit import Database
from smartapp.errors import LaunchRefused, UpstreamError
from smartapp.launch.pkce import new_verifier, s256
from smartapp.launch.providers import by_iss
from smartapp.security.keyring import Keyring
from tests.launch.fake_ehr import CLIENT, FakeEhr, query_of
from tests.launch.house import House, fake_house, provider, settings
from tests.launch.server import said


@pytest.mark.clause("SMART 2.2", "35", "41", "161")
@pytest.mark.promise("A1")
@pytest.mark.clause("RFC 7636", "4.3")
def test_an_ehr_launch_asks_for_its_context_and_nothing_of_a_standalone_one(house: House, fake_ehr: FakeEhr) -> None:
    begun = house.launcher.begin(iss=fake_ehr.iss, launch="xyz &=")
    asked = query_of(begun.authorize_url)
    assert begun.authorize_url.startswith(f"{fake_ehr.issuer}/authorize?tenant=7&")
    assert asked["response_type"] == ["code"]
    assert asked["client_id"] == [CLIENT]
    assert asked["redirect_uri"] == ["https://images.example.org/callback"]
    assert asked["aud"] == [fake_ehr.iss]
    assert asked["launch"] == ["xyz &="]
    assert asked["code_challenge_method"] == ["S256"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", asked["code_challenge"][0])
    scopes = asked["scope"][0].split()
    assert "launch" in scopes
    assert "launch/patient" not in scopes


@pytest.mark.clause("SMART 2.2", "36", "150", "151", "152", "166")
@pytest.mark.promise("A1")
def test_a_standalone_launch_asks_for_a_record_and_names_no_launch(house: House) -> None:
    asked = query_of(house.launcher.begin(provider_id="st-elsewhere").authorize_url)
    scopes = asked["scope"][0].split()
    assert "launch/patient" in scopes
    assert "launch" not in scopes
    assert "launch" not in asked


@pytest.mark.clause("SMART 2.2", "2")
@pytest.mark.threat("S5")
def test_every_launch_has_values_of_its_own_and_a_browser_keeps_its_secret(house: House, fake_ehr: FakeEhr) -> None:
    one = house.launcher.begin(iss=fake_ehr.iss, launch="same")
    two = house.launcher.begin(iss=fake_ehr.iss, launch="same", browser_secret=one.browser_secret)
    assert one.browser_secret == two.browser_secret
    for name in ("state", "nonce", "code_challenge"):
        assert query_of(one.authorize_url)[name] != query_of(two.authorize_url)[name]


@pytest.mark.parametrize("brought", ["", "flow_short", "flow_" + "a" * 44, "x" * 48, "flow_" + "é" * 43])
def test_a_flow_secret_that_is_not_ours_is_replaced(house: House, brought: str) -> None:
    assert house.launcher.begin(provider_id="st-elsewhere", browser_secret=brought).browser_secret != brought


@pytest.mark.threat("S1")
@pytest.mark.threat("S2")
@pytest.mark.threat("S3")
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda iss: iss + "/", "smart.iss.unknown"),
        (lambda iss: iss.upper(), "ssrf.blocked"),
        (lambda iss: iss.replace("http:", "HTTP:"), "ssrf.blocked"),
        (lambda iss: iss.replace("127.0.0.1", "127.1"), "ssrf.blocked"),
        (lambda iss: iss.replace("127.0.0.1", "2130706433"), "ssrf.blocked"),
        (lambda iss: iss.replace("127.0.0.1", "[::ffff:127.0.0.1]"), "ssrf.blocked"),
        (lambda iss: iss.replace("127.0.0.1", "127。0。0。1"), "ssrf.blocked"),
        (lambda iss: iss.replace("//", "//user@"), "ssrf.blocked"),
        (lambda iss: iss.replace("/fhir", "/%66hir"), "smart.iss.unknown"),
        (lambda iss: iss.replace("/fhir", "/x/../fhir"), "smart.iss.unknown"),
        (lambda iss: iss + "\r\nX: y", "ssrf.blocked"),
        (lambda iss: iss + "?", "smart.iss.unknown"),
        (lambda iss: iss.partition(":")[2], "ssrf.blocked"),
        (lambda _: "file:///etc/passwd", "ssrf.blocked"),
        (lambda _: "http://169.254.169.254/fhir", "ssrf.blocked"),
        (lambda _: "http://metadata.google.internal/fhir", "ssrf.blocked"),
        (lambda _: "http://localhost./fhir", "ssrf.blocked"),
        (lambda _: "https://10.1.2.3/fhir", "ssrf.blocked"),
        (lambda _: "https://%31%30.1.2.3/fhir", "ssrf.blocked"),
        (lambda _: "http://0x7f.1/fhir", "ssrf.blocked"),
        (lambda _: "http://[::1]/fhir", "ssrf.blocked"),
        (lambda _: "gopher://ehr.example.org/fhir", "ssrf.blocked"),
        (lambda _: "https://ehr.example.org/fhir", "smart.iss.unknown"),
        (lambda _: "https://8.8.8.8/fhir", "smart.iss.unknown"),
        (lambda _: "a" * 5000, "ssrf.blocked"),
        (lambda _: "", "smart.iss.unknown"),
    ],
)
def test_an_iss_that_is_not_exactly_configured_is_refused_and_asks_nobody(
    house: House, fake_ehr: FakeEhr, change: Callable[[str], str], kind: str
) -> None:
    """One that leads to ourselves or our neighbours is told loudly; one under a hospital's own host is a slip."""
    with pytest.raises(LaunchRefused) as refused:
        house.launcher.begin(iss=change(fake_ehr.iss), launch="x")
    assert refused.value.code == kind
    assert fake_ehr.server.log == []
    assert house.kinds() == [kind]


@pytest.mark.threat("S3")
@given(st.text(max_size=40) | st.text(max_size=4).map("https://ehr.example.org/fhir".__add__))
def test_no_other_text_is_a_hospital(iss: str) -> None:
    known = settings(provider("https://ehr.example.org/fhir", ("https://ehr.example.org",), iss_aliases=("https://b",)))
    if iss in {"https://ehr.example.org/fhir", "https://b"}:
        return
    with pytest.raises(LaunchRefused):
        by_iss(known, iss)


def test_an_alias_is_an_iss_of_its_own(fake_ehr: FakeEhr, sqlite_database: Database, keyring: Keyring) -> None:
    alias = f"{fake_ehr.origin}/fhir/r4"
    house = fake_house(fake_ehr, sqlite_database, keyring, iss_aliases=(alias,))
    fake_ehr.server.at("/fhir/r4/.well-known/smart-configuration", said(fake_ehr.metadata))
    assert query_of(house.launcher.begin(iss=alias, launch="x").authorize_url)["aud"] == [alias]


@pytest.mark.clause("SMART 2.2", "161")
@pytest.mark.parametrize("launch", [None, "", "a" * 5000, "a\r\nb", "a\x00"])
def test_a_launch_value_that_cannot_be_meant_is_refused(house: House, fake_ehr: FakeEhr, launch: str | None) -> None:
    with pytest.raises(LaunchRefused):
        house.launcher.begin(iss=fake_ehr.iss, launch=launch)
    assert fake_ehr.server.log == []


def test_an_unknown_hospital_is_refused(house: House) -> None:
    with pytest.raises(LaunchRefused):
        house.launcher.begin(provider_id="nowhere")


@pytest.mark.threat("F5")
def test_an_ehr_that_is_gone_is_no_refusal(sqlite_database: Database, keyring: Keyring) -> None:
    gone = settings(provider("http://127.0.0.1:9/fhir", ("http://127.0.0.1:9",)))
    with pytest.raises(UpstreamError):
        House(gone, sqlite_database, keyring).launcher.begin(provider_id="st-elsewhere")


@pytest.mark.clause("RFC 7636", "4.1")
def test_verifiers_are_long_enough_and_never_the_same() -> None:
    found = {new_verifier() for _ in range(50)}
    assert len(found) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier) for verifier in found)


@pytest.mark.clause("SMART 2.2", "13", "44")
@pytest.mark.clause("RFC 7636", "B")
def test_the_challenge_is_the_one_of_the_specification() -> None:
    assert s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
