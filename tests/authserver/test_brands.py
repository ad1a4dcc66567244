"""User-access Brands and Endpoints (SMART App Launch 2.2): what apps are told of how people know a hospital."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from smartapp.settings import Address, Affiliate, Brand, Portal
from tests.authserver.house import BASE, ISSUER, PROVIDER, AuthHouse
from tests.support.clock import FixedClock
from tests.support.databases import PostgresDatabases, SqliteFiles

Json = dict[str, Any]
AT = f"/{PROVIDER}/brands"
SMART = f"/{PROVIDER}/fhir/.well-known/smart-configuration"
URLS = "urn:ietf:rfc:3986"
NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}
CORE = "http://hl7.org/fhir/StructureDefinition"
SMART_IG = "http://hl7.org/fhir/smart-app-launch/StructureDefinition"
SITE = {"system": URLS, "value": "https://st-elsewhere.example.org"}

BRAND = Brand(
    website="https://www.st-elsewhere.example.org/en",
    aliases=("Saint Elsewhere",),
    identifiers=("http://hl7.org/fhir/sid/us-npi|1234567893",),
    categories=("prov", "imaging"),
    logos=("https://www.st-elsewhere.example.org/logo.svg",),
    logo_license="https://www.st-elsewhere.example.org/terms",
    address=(
        Address(line=("1 Hospital Way",), city="Springfield", state="IL", postal_code="62701", country="US"),
        Address(postal_code="62702"),
    ),
    contacts=("https://dev.st-elsewhere.example.org", "mailto:apis@st-elsewhere.example.org", "tel:+1 555 0100"),
    portal=(
        Portal(name="My imaging", description="For all who had a scan.", logos=("https://st.example.org/p.svg",)),
        Portal(name="Children's portal", url="https://children.example.org"),
    ),
    affiliate=(
        Affiliate(id="north", name="North Clinic", website="https://north.example.org"),
        Affiliate(id="south", name="South Clinic", website="https://www.st-elsewhere.example.org/south"),
        Affiliate(id="old", name="Old Clinic", website_absent="asked-declined"),
    ),
)

Made = Callable[..., AuthHouse]


@contextmanager
def _starts(source: SqliteFiles | PostgresDatabases, folder: Path) -> Iterator[Made]:
    """Workers of one house, on one database: each call is a start with these settings."""
    houses: list[AuthHouse] = []
    with source.ready() as url:

        def make(brand: Brand | None = BRAND, clock: FixedClock | None = None) -> AuthHouse:
            house = AuthHouse(url, folder / str(len(houses)), clock=clock or FixedClock(), brand=brand)
            houses.append(house)
            return house

        yield make
        for house in houses:
            house.close()


@pytest.fixture
def made(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[Made]:
    with _starts(sqlite_files, tmp_path) as make:
        yield make


@pytest.fixture
def made_on_both(databases: SqliteFiles | PostgresDatabases, tmp_path: Path) -> Iterator[Made]:
    with _starts(databases, tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def house(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthHouse]:
    with sqlite_files.ready() as url:
        found = AuthHouse(url, tmp_path_factory.mktemp("brands"), brand=BRAND)
        yield found
        found.close()


@pytest.fixture(scope="module")
def told(house: AuthHouse) -> Json:
    return bundle(house)


def bundle(house: AuthHouse) -> Json:
    answer = house.get(AT)
    assert (answer.status_code, answer.mimetype) == (200, "application/fhir+json")
    found: Json = answer.get_json(force=True)
    return found


def of_type(told: Json, type_: str) -> list[Json]:
    return [each["resource"] for each in told["entry"] if each["resource"]["resourceType"] == type_]


def parts_of(organization: Json, name: str) -> list[list[Json]]:
    return [each["extension"] for each in organization.get("extension", []) if each["url"] == f"{CORE}/{name}"]


@pytest.mark.clause("SMART 2.2 server", "396", "417")
def test_the_bundle_is_of_one_endpoint_and_a_brand_that_names_it(told: Json) -> None:
    assert (told["resourceType"], told["type"]) == ("Bundle", "collection")
    (endpoint,) = of_type(told, "Endpoint")
    primary, *others = of_type(told, "Organization")
    named = f"Endpoint/{endpoint['id']}"
    assert [each["reference"] for each in primary["endpoint"]] == [named]
    for portal in parts_of(primary, "organization-portal"):  # uab-1
        assert [each["valueReference"]["reference"] for each in portal if each["url"] == "portalEndpoint"] == [named]
    assert not any("endpoint" in each or parts_of(each, "organization-portal") for each in others)
    for each in told["entry"]:
        resource = each["resource"]
        assert each["fullUrl"] == f"{ISSUER}/brands/{resource['resourceType']}/{resource['id']}"


@pytest.mark.clause("SMART 2.2 server", "402", "436")
def test_all_that_must_be_supported_is_as_the_hospital_said(told: Json) -> None:
    primary = of_type(told, "Organization")[0]
    assert (primary["name"], primary["alias"], primary["active"]) == ("A hospital", ["Saint Elsewhere"], True)
    assert primary["telecom"] == [{"system": "url", "value": BRAND.website}]
    assert [each["coding"][0]["code"] for each in primary["type"]] == ["prov", "imaging"]
    assert primary["address"] == [
        {"line": ["1 Hospital Way"], "city": "Springfield", "state": "IL", "postalCode": "62701", "country": "US"},
        {"postalCode": "62702"},
    ]
    assert parts_of(primary, "organization-brand") == [
        [
            {"url": "brandLogo", "valueUrl": BRAND.logos[0]},
            {"url": "brandLogoLicense", "valueUrl": BRAND.logo_license},
        ]
    ]
    first, second = parts_of(primary, "organization-portal")
    assert {each["url"]: next(v for k, v in each.items() if k != "url") for each in first[:-1]} == {
        "portalName": "My imaging",
        "portalDescription": "For all who had a scan.",
        "portalUrl": BASE,
        "portalLogo": "https://st.example.org/p.svg",
    }
    assert {"url": "portalUrl", "valueUrl": "https://children.example.org"} in second


@pytest.mark.clause("SMART 2.2 server", "402", "436")
def test_the_endpoint_is_our_fhir_address(house: AuthHouse, told: Json) -> None:
    (endpoint,) = of_type(told, "Endpoint")
    assert (
        house.get(endpoint["address"].removeprefix(BASE) + "/metadata").get_json(force=True)["fhirVersion"] == "4.0.1"
    )
    assert endpoint["extension"] == [{"url": f"{CORE}/endpoint-fhir-version", "valueCode": "4.0.1"}]
    assert (endpoint["status"], endpoint["connectionType"]["code"]) == ("active", "hl7-fhir-rest")
    assert endpoint["managingOrganization"]["reference"] == f"Organization/{PROVIDER}"
    assert endpoint["contact"] == [
        {"system": "url", "value": f"{BASE}/developers"},
        {"system": "url", "value": "https://dev.st-elsewhere.example.org"},
        {"system": "email", "value": "apis@st-elsewhere.example.org"},
        {"system": "phone", "value": "+1 555 0100"},
    ]


@pytest.mark.clause("SMART 2.2 server", "397")
def test_affiliates_are_known_by_names_of_their_own(told: Json) -> None:
    primary, *others = of_type(told, "Organization")
    assert "partOf" not in primary
    assert [each["name"] for each in others] == ["North Clinic", "South Clinic", "Old Clinic"]
    assert {each["partOf"]["reference"] for each in others} == {f"Organization/{primary['id']}"}


@pytest.mark.clause("SMART 2.2 server", "395", "403", "421", "422")
def test_identifiers_are_the_website_and_those_that_the_hospital_said(told: Json) -> None:
    primary, north, south, old = of_type(told, "Organization")
    assert primary["identifier"] == [SITE, NPI]
    assert north["identifier"] == [{"system": URLS, "value": "https://north.example.org"}]
    # Its website is on the hospital's own host, and apps would take the two for one.
    assert "identifier" not in south
    assert "identifier" not in old


@pytest.mark.clause("SMART 2.2 server", "404", "405", "437")
@pytest.mark.parametrize("reason", ["asked-unknown", "asked-declined"])
def test_a_website_that_is_not_said_has_one_of_two_reasons(made: Made, *, reason: Any) -> None:
    brand = Brand(website_absent=reason, identifiers=("urn:example:hospitals|17",))
    organization = of_type(bundle(made(brand)), "Organization")[0]
    absent = {"url": f"{CORE}/data-absent-reason", "valueCode": reason}
    assert organization["telecom"] == [{"system": "url", "_value": {"extension": [absent]}}]
    assert organization["identifier"] == [{"system": "urn:example:hospitals", "value": "17"}]


@pytest.mark.clause("SMART 2.2 server", "387", "388", "406", "409", "410", "411", "412")
@pytest.mark.clause("SMART 2.2 server", "427", "428", "429", "430", "431", "432")
@pytest.mark.parametrize(
    ("brand", "expected"),
    [
        (BRAND, SITE),
        (Brand(website="https://a.example:8443/x"), {"system": URLS, "value": "https://a.example:8443"}),
        (Brand(website_absent="asked-unknown", identifiers=("urn:x:y|1",)), {"system": "urn:x:y", "value": "1"}),
    ],
)
def test_discovery_names_the_bundle_and_the_one_brand_in_it_that_is_the_hospitals(
    made: Made, brand: Brand, expected: dict[str, str]
) -> None:
    house = made(brand)
    said = house.get(SMART).get_json()
    assert said["user_access_brand_bundle"] == f"{BASE}{AT}"
    assert said["user_access_brand_identifier"] == expected
    fitting = [each["id"] for each in of_type(bundle(house), "Organization") if expected in each.get("identifier", [])]
    assert fitting == [PROVIDER]


@pytest.mark.clause("SMART 2.2 server", "407", "408", "433", "434")
def test_nothing_of_another_hospital_is_in_it_or_there_without_a_brand(house: AuthHouse, told: Json) -> None:
    assert "st-mercy" not in json.dumps(told)
    assert house.get("/st-mercy/brands").status_code == 404
    assert house.get("/nowhere/brands").status_code == 404
    said = house.get(SMART.replace(PROVIDER, "st-mercy")).get_json()
    assert not said.keys() & {"user_access_brand_bundle", "user_access_brand_identifier"}
    outcome = house.get("/st-mercy/brands")
    assert outcome.get_json(force=True)["resourceType"] == "OperationOutcome"
    assert outcome.headers["Cache-Control"] == "no-store"


def test_each_resource_is_at_its_full_url(house: AuthHouse, told: Json) -> None:
    for entry in told["entry"]:
        answer = house.get(entry["fullUrl"].removeprefix(BASE))
        assert answer.get_json(force=True) == entry["resource"]
        assert answer.headers["ETag"].startswith('W/"')
    for other in ("Organization/none", f"Patient/{PROVIDER}", "Organization/", f"brands/Organization/{PROVIDER}"):
        assert house.get(f"{AT}/{other}").status_code == 404


def test_it_is_what_the_models_of_r4_and_the_profiles_say(told: Json) -> None:
    for resource in (told, *(each["resource"] for each in told["entry"])):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    profiles = {
        "Bundle": "user-access-brands-bundle",
        "Organization": "user-access-brand",
        "Endpoint": "user-access-endpoint",
    }
    for resource in (told, *(each["resource"] for each in told["entry"])):
        assert resource["meta"]["profile"] == [f"{SMART_IG}/{profiles[resource['resourceType']]}"]


@pytest.mark.clause("SMART 2.2 server", "398", "399", "418", "419")
def test_times_are_of_the_last_change_over_workers_and_restarts(made_on_both: Made) -> None:
    """What changes is the bundle and the one resource; what does not keeps its time, whoever is asked and when."""
    clock = FixedClock()
    began = clock.now()
    first = bundle(made_on_both(clock=clock))
    assert moments(first) == dict.fromkeys(moments(first), began)

    clock.advance(3600)
    assert bundle(made_on_both(clock=clock)) == first

    other = replace(BRAND, affiliate=(replace(BRAND.affiliate[0], name="North Hill Clinic"), *BRAND.affiliate[1:]))
    changed = moments(bundle(made_on_both(other, clock)))
    later = began + timedelta(hours=1)
    assert changed == {**moments(first), "Bundle": later, "north": later}

    clock.advance(3600)
    fewer = moments(bundle(made_on_both(replace(other, affiliate=other.affiliate[:1]), clock)))
    assert fewer["Bundle"] == later + timedelta(hours=1)
    assert fewer["north"] == later


def moments(told: Json) -> dict[str, datetime]:
    """When the bundle changed, and each resource in it."""
    assert told["timestamp"] == told["meta"]["lastUpdated"]
    each = {one["resource"]["id"]: one["resource"] for one in told["entry"] if "name" in one["resource"]}
    found = {name: datetime.fromisoformat(resource["meta"]["lastUpdated"]) for name, resource in each.items()}
    return {"Bundle": datetime.fromisoformat(told["timestamp"]), **found}


@pytest.mark.clause("SMART 2.2 server", "398", "418")
def test_a_worker_with_old_settings_does_not_undo_what_a_new_one_says(made_on_both: Made) -> None:
    """They run side by side while a new configuration is rolled out, and are asked in turn."""
    clock = FixedClock()
    old = made_on_both(clock=clock)
    before = bundle(old)
    clock.advance(60)
    new = made_on_both(replace(BRAND, aliases=()), clock)
    after = bundle(new)
    for _ in range(3):
        clock.advance(60)
        assert (bundle(old), bundle(new)) == (before, after)
    assert after["timestamp"] > before["timestamp"]


@pytest.mark.clause("SMART 2.2 server", "401", "424")
def test_who_has_it_is_told_so(house: AuthHouse) -> None:
    answer = house.get(AT)
    etag = answer.headers["ETag"]
    assert etag.startswith('W/"')
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert "Cookie" not in answer.headers.get("Vary", "")
    said = datetime.fromisoformat(answer.get_json(force=True)["timestamp"])
    assert parsedate_to_datetime(answer.headers["Last-Modified"]) == said
    for sent in (etag, f'"other", {etag}', etag.removeprefix("W/"), "*"):
        again = house.get(AT, headers={"If-None-Match": sent})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == etag
        assert again.headers["Cache-Control"] == "public, max-age=300"
    assert house.get(AT, headers={"If-None-Match": 'W/"other"'}).status_code == 200
    assert house.http.head(AT, base_url=BASE).headers["ETag"] == etag


@pytest.mark.clause("SMART 2.2 server", "400", "423")
def test_pages_of_any_origin_may_read_it_and_nobody_is_asked_who_they_are(house: AuthHouse) -> None:
    origin = {"Origin": "https://any.example"}
    for path in (AT, f"{AT}/Organization/{PROVIDER}", f"{AT}/Organization/none"):
        asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "if-none-match"}
        leave = house.http.options(path, headers={**origin, **asked}, base_url=BASE)
        assert leave.status_code == 204
        assert "If-None-Match" in leave.headers["Access-Control-Allow-Headers"]
        for answer in (leave, house.get(path, headers=origin), house.http.head(path, headers=origin, base_url=BASE)):
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in answer.headers
            assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
            assert "Set-Cookie" not in answer.headers
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert house.http.open(path, method=method, base_url=BASE).status_code == 405
