"""Discovery: what an EHR may say of its authorization server, and what ends the launch."""

from collections.abc import Callable
from typing import Any

import pytest

from smartapp.errors import LaunchRefused
from smartapp.launch.diagnosis import advice, probe_ehr
from smartapp.launch.ehr_keys import EhrKeys
from smartapp.launch.refusals import Refusal
from smartapp.launch.urls import Trust, is_loopback, origin, resolved
from tests.launch.fake_ehr import FakeEhr
from tests.launch.house import House, sign_in
from tests.launch.server import Said, said

PATH = "/fhir/.well-known/smart-configuration"


def begin(house: House) -> str:
    return house.launcher.begin(provider_id="st-elsewhere").authorize_url


@pytest.mark.clause("SMART 2.2", "1")
@pytest.mark.threat("S4")
@pytest.mark.parametrize("name", ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("value", ["https://evil.example/x", None, 7, "", "http://127.0.0.1:1/x", "//127.0.0.1/x", []])
def test_an_address_that_is_not_trusted_ends_the_launch(house: House, fake_ehr: FakeEhr, name: str, value: Any) -> None:
    fake_ehr.metadata[name] = value
    with pytest.raises(Refusal) as refused:
        begin(house)
    assert refused.value.code == "smart.discovery.bad"
    assert refused.value.detail.startswith(name)
    assert house.severities("smart.discovery.bad") == ["high"]


@pytest.mark.threat("S4")
def test_a_revocation_endpoint_elsewhere_ends_it_and_none_does_not(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.metadata["revocation_endpoint"] = "https://evil.example/revoke"
    with pytest.raises(LaunchRefused):
        begin(house)
    del fake_ehr.metadata["revocation_endpoint"]
    assert begin(house)


@pytest.mark.threat("S4")
@pytest.mark.parametrize("methods", [None, [], ["plain"], "S256", {"S256": 1}])
def test_without_s256_there_is_no_launch(house: House, fake_ehr: FakeEhr, methods: Any) -> None:
    fake_ehr.metadata["code_challenge_methods_supported"] = methods
    with pytest.raises(LaunchRefused):
        begin(house)


@pytest.mark.threat("S4")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: said(m, 302, Location="/elsewhere"),
        lambda m: said(m, 404),
        lambda m: said(m, media="text/html"),
        lambda m: said({**m, "padding": "x" * 5_000_000}),
        lambda _: Said(b"{"),
        lambda _: Said(b"[]"),
        lambda _: Said(b'{"issuer": "a", "issuer": "b"}'),
        lambda _: Said(b'{"a":' * 5000),
        lambda _: Said(b"\xff\xfe"),
        lambda _: Said(b"\xef\xbb\xbf{}"),
    ],
)
def test_a_document_that_is_none_ends_the_launch(
    house: House, fake_ehr: FakeEhr, spoil: Callable[[dict[str, Any]], Said]
) -> None:
    fake_ehr.server.at(PATH, spoil(fake_ehr.metadata))
    with pytest.raises(LaunchRefused) as refused:
        begin(house)
    assert refused.value.code == "smart.discovery.bad"
    assert len(fake_ehr.server.log) == 1


@pytest.mark.clause("SMART 2.2", "379")
def test_endpoints_may_be_relative_to_the_fhir_base(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.metadata.update(authorization_endpoint="auth/authorize?tenant=7", token_endpoint="/auth/token")
    assert begin(house).startswith(f"{fake_ehr.issuer}/authorize?tenant=7&")
    assert sign_in(house, fake_ehr).sub == "person-1"


@pytest.mark.clause("SMART 2.2", "379")
@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("token", "https://ehr.example.org/token"),
        ("/auth/token", "https://ehr.example.org/auth/token"),
        ("fhir/../token?a=b", "https://ehr.example.org/token?a=b"),
        ("//other.example/token", "https://other.example/token"),
        ("https://other.example/x/../token?", "https://other.example/x/../token?"),
        ("", None),
        ("to\tken", None),
        ("\\\\evil.example/token", None),
        ("/to ken", None),
        ("http://[x/token", None),
    ],
)
def test_what_a_reference_means(reference: str, expected: str | None) -> None:
    assert resolved("https://ehr.example.org/fhir", reference) == expected


@pytest.mark.clause("SMART 2.2", "218")
def test_the_keys_are_those_that_the_issuers_own_document_names(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.openid = {"issuer": fake_ehr.issuer, "jwks_uri": f"{fake_ehr.issuer}/keys"}
    fake_ehr.metadata["jwks_uri"] = f"{fake_ehr.issuer}/other-keys"
    assert sign_in(house, fake_ehr).sub == "person-1"
    assert fake_ehr.server.asked("/auth/other-keys") == []
    assert len(fake_ehr.server.asked("/auth/.well-known/openid-configuration")) == 1


@pytest.mark.threat("S4")
@pytest.mark.parametrize(
    "openid",
    [
        {"issuer": "https://other.example"},
        {"issuer": None},
        {"jwks_uri": "https://evil.example/keys"},
        {"jwks_uri": None},
        {"jwks_uri": "/auth/keys"},
    ],
)
def test_an_issuer_whose_document_is_not_its_own_ends_the_launch(
    house: House, fake_ehr: FakeEhr, openid: dict[str, Any]
) -> None:
    fake_ehr.openid = {"issuer": fake_ehr.issuer, "jwks_uri": f"{fake_ehr.issuer}/keys", **openid}
    with pytest.raises(LaunchRefused) as refused:
        begin(house)
    assert refused.value.code == "smart.discovery.bad"


@pytest.mark.threat("S4")
@pytest.mark.parametrize("answer", [said({}, 404), Said(b"<html>", 200, "text/html"), Said(b"[]")])
def test_an_issuer_without_a_document_ends_the_launch(house: House, fake_ehr: FakeEhr, answer: Said) -> None:
    fake_ehr.server.at("/auth/.well-known/openid-configuration", answer)
    with pytest.raises(LaunchRefused):
        begin(house)


@pytest.mark.parametrize("name", ["token_endpoint", "issuer", "jwks_uri"])
def test_the_doctor_names_the_origin_that_is_not_listed(house: House, fake_ehr: FakeEhr, name: str) -> None:
    fake_ehr.metadata[name] = "https://auth.example.org/x"
    with pytest.raises(Refusal) as refused:
        probe_ehr(house.ehrs, EhrKeys(house.clock), "st-elsewhere")
    assert advice(house.ehrs, "st-elsewhere", refused.value).endswith(": https://auth.example.org")


def test_the_doctor_finds_keys_that_only_the_issuer_names(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.openid = {"issuer": fake_ehr.issuer, "jwks_uri": "https://keys.example.org/x"}
    with pytest.raises(Refusal) as refused:
        probe_ehr(house.ehrs, EhrKeys(house.clock), "st-elsewhere")
    assert advice(house.ehrs, "st-elsewhere", refused.value).endswith(": https://keys.example.org")


def test_it_is_asked_once_an_hour(house: House, fake_ehr: FakeEhr) -> None:
    begin(house)
    begin(house)
    assert len(fake_ehr.server.asked(PATH)) == 1
    house.clock.advance(3601)
    begin(house)
    assert len(fake_ehr.server.asked(PATH)) == 2


def test_a_bad_document_is_not_remembered(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.server.at(PATH, Said(b"{"))
    with pytest.raises(LaunchRefused):
        begin(house)
    fake_ehr.server.at(PATH, said(fake_ehr.metadata))
    assert begin(house)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ehr.example.org/fhir", "https://ehr.example.org"),
        ("https://ehr.example.org:443/", "https://ehr.example.org"),
        ("https://ehr.example.org:8443", "https://ehr.example.org:8443"),
        ("http://[::1]:80/x", "http://[::1]"),
        ("HTTPS://EHR.example.org/", "https://ehr.example.org"),
        ("https://ehr.example.org@evil/", None),
        ("https://ehr.example.org\\@evil/", None),
        ("https://ehr.example.org/#x", None),
        ("https://ehr.example.org/a b", None),
        ("https://ehr.example。org/", None),
        ("https://ehr.example.org:99999/", None),
        ("https:///x", None),
        ("ftp://ehr.example.org/", None),
        ("//ehr.example.org/", None),
        ("https://ehr.example.org/\n", None),
        ("https://" + "a" * 3000, None),
    ],
)
def test_origins(url: str, expected: str | None) -> None:
    assert origin(url) == expected


@pytest.mark.clause("SMART 2.2", "1", "318")
def test_plain_http_is_for_the_sandbox_on_this_machine_only() -> None:
    origins = ("http://localhost:8080", "http://ehr.example.org", "https://ehr.example.org")
    assert Trust(origins, sandbox=True).allows("http://localhost:8080/x")
    assert not Trust(origins, sandbox=False).allows("http://localhost:8080/x")
    assert not Trust(origins, sandbox=True).allows("http://ehr.example.org/x")
    assert Trust(origins, sandbox=False).allows("https://ehr.example.org/x")
    assert not is_loopback("http://localhost.evil.example/")
