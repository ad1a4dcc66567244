"""What must hold for a brand, one check for each thing that can be wrong with it (SMART App Launch 2.2, Brands)."""

import re
from collections.abc import Iterator
from typing import Final

from smartapp.errors import ConfigurationError
from smartapp.settings.addresses import check_url
from smartapp.settings.brands import Address, Brand, Portal, Shown, identifiers

_PLACES: Final = (
    {"state"},
    {"city", "state"},
    {"city", "state", "postal_code"},
    {"line", "city", "state", "postal_code"},
    {"postal_code"},
)
_IDENTIFIER: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^|\s]+\|[^|\s][^|]*")
_CONTACT: Final = re.compile(r"mailto:[^@\s?]+@[^@\s?]+|tel:\+?[0-9()./ -]*[0-9][0-9()./ -]*")


def check_brand(provider_id: str, brand: Brand, where: str, *, sandbox: bool) -> None:
    """Raises ConfigurationError for the first thing that cannot be, with a sentence that says what to do."""
    for shown, at in _all(brand, f"{where} brand"):
        _check_website(shown, at)
        _check_logos(shown, at)
        _check_identifiers(shown, at)
        for number, place in enumerate(shown.address, 1):
            _check_place(place, f"{at} address {number}")
    for number, portal in enumerate(brand.portal, 1):
        _check_portal(portal, f"{where} brand portal {number}", sandbox=sandbox)
    _check_contacts(brand, f"{where} brand")
    _check_affiliates(provider_id, brand, f"{where} brand")
    _check_told_apart(brand, f"{where} brand")


def _all(brand: Brand, where: str) -> Iterator[tuple[Shown, str]]:
    yield brand, where
    for each in brand.affiliate:
        yield each, f"{where} affiliate {each.id}"


def _check_website(shown: Shown, where: str) -> None:
    if bool(shown.website) == bool(shown.website_absent):
        raise ConfigurationError(
            f'{where} needs website, or else website_absent = "asked-unknown" or "asked-declined", and not both.'
        )
    if shown.website:
        check_url(shown.website, f"{where} website", sandbox=False)


def _check_logos(shown: Shown | Portal, where: str) -> None:
    for logo in shown.logos:
        check_url(logo, f"{where} logos {logo}", sandbox=False)
    if shown.logo_license:
        check_url(shown.logo_license, f"{where} logo_license", sandbox=False)
        if not shown.logos:
            raise ConfigurationError(f"{where} logo_license is of no logo: add logos, or remove it.")


def _check_identifiers(shown: Shown, where: str) -> None:
    for text in shown.identifiers:
        if not _IDENTIFIER.fullmatch(text):
            raise ConfigurationError(
                f"{where} identifiers must be of the form system|value, as http://hl7.org/fhir/sid/us-npi|1234567893."
            )
    if not shown.categories:
        raise ConfigurationError(f"{where} categories is empty: remove it, or name one.")


def _check_place(place: Address, where: str) -> None:
    given = {name for name in ("line", "city", "state", "postal_code") if getattr(place, name)}
    if given not in _PLACES:
        raise ConfigurationError(
            f"{where} must be one of: state; city and state; city, state and postal_code; line, city, state and "
            "postal_code; postal_code alone."
        )
    if place.country and not re.fullmatch(r"[A-Z]{2}", place.country):
        raise ConfigurationError(f"{where} country must be two letters, as US (ISO 3166-1).")


def _check_portal(portal: Portal, where: str, *, sandbox: bool) -> None:
    _check_logos(portal, where)
    if portal.url:
        check_url(portal.url, f"{where} url", sandbox=sandbox)


def _check_contacts(brand: Brand, where: str) -> None:
    for contact in brand.contacts:
        if contact.startswith("https:"):
            check_url(contact, f"{where} contacts {contact}", sandbox=False)
        elif not _CONTACT.fullmatch(contact):
            raise ConfigurationError(f"{where} contacts must begin with https:, mailto: or tel:, with one in each.")


def _check_affiliates(provider_id: str, brand: Brand, where: str) -> None:
    known = {provider_id}
    for each in brand.affiliate:
        if not re.fullmatch(r"[a-z0-9-]{1,64}", each.id) or each.id in known:
            raise ConfigurationError(
                f"{where} affiliate {each.id}: id must be of a-z, 0-9 and -, at most 64, and nobody else's here."
            )
        known.add(each.id)


def _check_told_apart(brand: Brand, where: str) -> None:
    """What discovery names fits exactly one brand; and no two brands are one to an app that goes by identifiers."""
    found = identifiers(brand)
    if not found[0]:
        raise ConfigurationError(f"{where} has neither website nor identifiers: apps could not tell it from others.")
    every = [pair for pairs in found for pair in pairs]
    for system, value in every:
        if every.count((system, value)) > 1:
            raise ConfigurationError(f"{where} identifiers {system}|{value} stands for two brands: leave it to one.")
