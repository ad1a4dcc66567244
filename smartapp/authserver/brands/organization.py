"""Brands as Organizations (profile User Access Brand, SMART App Launch 2.2). Pure."""

from collections.abc import Sequence
from typing import Any, Final, get_args

from smartapp.settings import Address, Affiliate, Brand, Portal, Provider
from smartapp.settings.brands import Category, Shown, identifiers

Json = dict[str, Any]

PROFILE: Final = "http://hl7.org/fhir/smart-app-launch/StructureDefinition/user-access-brand"
_BRAND: Final = "http://hl7.org/fhir/StructureDefinition/organization-brand"
_PORTAL: Final = "http://hl7.org/fhir/StructureDefinition/organization-portal"
_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_TYPES: Final = "http://terminology.hl7.org/CodeSystem/organization-type"
_WORDS: Final = (
    "Healthcare Provider",
    "Insurance Company",
    "Laboratory",
    "Imaging Center",
    "Pharmacy",
    "Health Information Network",
    "Health Data Aggregator",
)
_DISPLAYS: Final = dict(zip(get_args(Category), _WORDS, strict=True))


def organizations(provider: Provider, brand: Brand, base_url: str, endpoint: Json) -> list[Json]:
    """The hospital's brand, which names `endpoint` and its portals; then its affiliates, which name the hospital's."""
    known = identifiers(brand)
    reference = {"reference": f"Endpoint/{endpoint['id']}", "display": endpoint["name"]}
    portals = brand.portal or (Portal(name=provider.name),)
    primary = _organization(provider.id, provider.name, brand, known[0])
    primary["extension"] = [*primary.get("extension", []), *(_portal(each, base_url, reference) for each in portals)]
    primary["endpoint"] = [reference]
    parent = {"reference": f"Organization/{provider.id}", "display": provider.name}
    return [primary, *(_affiliate(each, own, parent) for each, own in zip(brand.affiliate, known[1:], strict=True))]


def _affiliate(affiliate: Affiliate, own: Sequence[tuple[str, str]], parent: Json) -> Json:
    return {**_organization(affiliate.id, affiliate.name, affiliate, own), "partOf": parent}


def _organization(id_: str, name: str, shown: Shown, own: Sequence[tuple[str, str]]) -> Json:
    logos = _logos("brand", shown.logos, shown.logo_license)
    return _given(
        resourceType="Organization",
        id=id_,
        extension=[{"url": _BRAND, "extension": logos}] if logos else [],
        identifier=[{"system": system, "value": value} for system, value in own],
        active=True,
        type=[_type(each) for each in shown.categories],
        name=name,
        alias=list(shown.aliases),
        telecom=[_website(shown)],
        address=[_address(each) for each in shown.address],
    )


def _website(shown: Shown) -> Json:
    """The public website, or the reason why none is named: one of the two that there are."""
    if shown.website:
        return {"system": "url", "value": shown.website}
    return {"system": "url", "_value": {"extension": [{"url": _ABSENT, "valueCode": shown.website_absent}]}}


def _type(category: Category) -> Json:
    return {"coding": [{"system": _TYPES, "code": category, "display": _DISPLAYS[category]}]}


def _address(place: Address) -> Json:
    return _given(
        line=list(place.line),
        city=place.city,
        state=place.state,
        postalCode=place.postal_code,
        country=place.country,
    )


def _portal(portal: Portal, base_url: str, endpoint: Json) -> Json:
    parts = [{"url": "portalName", "valueString": portal.name}]
    if portal.description:
        parts.append({"url": "portalDescription", "valueMarkdown": portal.description})
    parts.append({"url": "portalUrl", "valueUrl": portal.url or base_url})
    logos = _logos("portal", portal.logos, portal.logo_license)
    return {"url": _PORTAL, "extension": [*parts, *logos, {"url": "portalEndpoint", "valueReference": endpoint}]}


def _logos(kind: str, logos: Sequence[str], terms: str) -> list[Json]:
    found = [{"url": f"{kind}Logo", "valueUrl": logo} for logo in logos]
    return [*found, {"url": f"{kind}LogoLicense", "valueUrl": terms}] if terms else found


def _given(**elements: Any) -> Json:
    """FHIR knows no empty lists and texts (R4 json.html)."""
    return {name: value for name, value in elements.items() if value not in ("", [])}
