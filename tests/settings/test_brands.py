"""What an operator may say of how people know the hospital, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # ships no types

from smartapp.errors import ConfigurationError
from smartapp.settings import Address, Affiliate, Brand, Portal
from smartapp.settings.brands import URLS, identifiers
from tests.settings.conftest import CONFIG, Configuration

SITE = "https://www.example.org"
SCHEMA = Draft202012Validator(json.loads((CONFIG / "schema" / "providers.schema.json").read_text()))


def load(configuration: Configuration, **brand: Any) -> Brand:
    configuration.provider["brand"] = brand
    found = configuration.load().providers[0].brand
    assert found is not None
    assert SCHEMA.is_valid(configuration.providers)
    return found


@pytest.mark.clause("SMART 2.2 server", "402", "403", "421", "436")
def test_all_that_must_be_supported_can_be_said(configuration: Configuration) -> None:
    found = load(
        configuration,
        website=SITE,
        aliases=["Saint Elsewhere", "St. E"],
        identifiers=["http://hl7.org/fhir/sid/us-npi|1234567893", "urn:oid:1.2.3|a b"],
        categories=["prov", "imaging"],
        logos=[f"{SITE}/logo.svg", f"{SITE}/logo.png"],
        logo_license=f"{SITE}/terms",
        contacts=["https://dev.example.org", "mailto:a@example.org", "tel:+1 555 0100"],
        endpoint_status="suspended",
        address=[
            {"state": "IL"}, {"city": "Springfield", "state": "IL"}, {"postal_code": "62701", "country": "US"},
            {"line": ["1 Way"], "city": "Springfield", "state": "IL", "postal_code": "62701"},
        ],
        portal=[{"name": "One", "description": "For *all*.", "url": "https://p.example.org", "logos": [f"{SITE}/p.svg"],
                 "logo_license": f"{SITE}/terms"}, {"name": "Two"}],
        affiliate=[{"id": "north", "name": "North", "website": "https://north.example.org",
                    "address": [{"postal_code": "62702"}]}],
    )  # fmt: skip
    assert found.address[-1] == Address(line=("1 Way",), city="Springfield", state="IL", postal_code="62701")
    assert found.portal[1] == Portal(name="Two")
    assert found.affiliate[0].address == (Address(postal_code="62702"),)


@pytest.mark.clause("SMART 2.2 server", "404", "405", "437")
def test_only_two_reasons_are_known_for_what_is_not_said(configuration: Configuration) -> None:
    for reason in ("asked-unknown", "asked-declined"):
        assert load(configuration, website_absent=reason, identifiers=["urn:x:y|1"]).website_absent == reason
    for reason in ("unknown", "masked", "not-asked", "temp-unknown"):
        with pytest.raises(ConfigurationError, match="website_absent must be one of"):
            load(configuration, website_absent=reason, identifiers=["urn:x:y|1"])
        assert not SCHEMA.is_valid(configuration.providers)


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        ({"website": None}, "needs website, or else website_absent"),
        ({"website_absent": "asked-unknown"}, "and not both"),
        ({"website": "http://www.example.org"}, "must begin with https"),
        ({"website": "https://www.example.org/?a=b"}, "plain address"),
        ({"website": None, "website_absent": "asked-unknown"}, "neither website nor identifiers"),
        ({"colour": "red"}, "brand colour is no setting"),
        ({"identifiers": ["1234567893"]}, r"system\|value"),
        ({"identifiers": ["npi|1234567893"]}, r"system\|value"),
        ({"identifiers": ["urn:x:y|"]}, r"system\|value"),
        ({"categories": ["hospital"]}, "categories must be one of"),
        ({"categories": []}, "categories is empty"),
        ({"logos": ["http://www.example.org/logo.svg"]}, "must begin with https"),
        ({"logo_license": f"{SITE}/terms"}, "is of no logo"),
        ({"address": [{"city": "Springfield"}]}, "address 1 must be one of"),
        ({"address": [{"state": "IL"}, {"state": "IL", "postal_code": "62701"}]}, "address 2 must be one of"),
        ({"address": [{"state": "IL", "country": "USA"}]}, "two letters"),
        ({"address": {"state": "IL"}}, r"address must be \[\[tables\]\]"),
        ({"address": ["IL"]}, "address 1 must be a table"),
        ({"contacts": ["a@example.org"]}, "contacts must begin with"),
        ({"contacts": ["mailto:a@example.org?subject=x"]}, "contacts must begin with"),
        ({"contacts": ["tel:call us"]}, "contacts must begin with"),
        ({"contacts": ["https://dev.example.org/?x"]}, "plain address"),
        ({"endpoint_status": "broken"}, "endpoint_status must be one of"),
        ({"portal": [{"description": "Nameless"}]}, "portal 1 name is missing"),
        ({"portal": [{"name": "One", "url": "ftp://p.example.org"}]}, "must begin with https"),
        ({"portal": [{"name": "One", "logo_license": f"{SITE}/terms"}]}, "is of no logo"),
        ({"affiliate": [{"name": "North", "website": SITE}]}, "affiliate 1 id is missing"),
        ({"affiliate": [{"id": "North!", "name": "North", "website": SITE}]}, "id must be of a-z"),
        ({"affiliate": [{"id": "st-elsewhere", "name": "North", "website": SITE}]}, "nobody else's here"),
        ({"affiliate": [{"id": "north", "name": "North"}]}, "affiliate north needs website"),
        (
            {
                "identifiers": ["urn:x:y|1"],
                "affiliate": [{"id": "a", "name": "A", "website": SITE, "identifiers": ["urn:x:y|1"]}],
            },
            "stands for two brands",
        ),
        (
            {"affiliate": [{"id": "a", "name": "A", "website": SITE, "identifiers": [f"{URLS}|https://example.org"]}]},
            "stands for two brands",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(configuration: Configuration, spoilt: dict[str, Any], says: str) -> None:
    said = {"website": SITE, **spoilt}
    with pytest.raises(ConfigurationError, match=says):
        load(configuration, **{name: value for name, value in said.items() if value is not None})


def test_without_the_table_nothing_is_said(configuration: Configuration) -> None:
    del configuration.provider["brand"]
    assert configuration.load().providers[0].brand is None


@pytest.mark.clause("SMART 2.2 server", "395", "422")
@pytest.mark.parametrize(
    ("website", "site"),
    [
        ("https://www.example.org", "https://example.org"),
        ("https://WWW.Example.org/a/b", "https://example.org"),
        ("https://wwww.example.org/", "https://wwww.example.org"),
        ("https://hospital.example.org:8443", "https://hospital.example.org:8443"),
    ],
)
def test_the_first_identifier_is_the_websites_address(website: str, site: str) -> None:
    assert identifiers(Brand(website=website, identifiers=("urn:x:y|1",))) == [((URLS, site), ("urn:x:y", "1"))]


def test_a_host_is_the_identifier_of_the_first_who_has_it() -> None:
    clinics = tuple(Affiliate(id=each, name=each, website="https://clinics.example.org") for each in ("a", "b"))
    assert identifiers(Brand(website=SITE, affiliate=clinics)) == [
        ((URLS, "https://example.org"),),
        ((URLS, "https://clinics.example.org"),),
        (),
    ]
