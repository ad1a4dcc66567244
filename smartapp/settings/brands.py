"""How a hospital is known to people: what apps show on the card that one chooses it by (SMART App Launch 2.2, Brands).

The words are those of the profiles User Access Brand and User Access Endpoint: all that they mark as "must support"
and that is the hospital's to say can be said here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

Category = Literal[
    "prov", "ins", "laboratory", "imaging", "pharmacy", "health-information-network", "health-data-aggregator"
]
"""What kind of data one finds there: the value set User Access Category."""
Absent = Literal["asked-unknown", "asked-declined"]
"""Why something is not said. The specification knows no other reason."""
EndpointStatus = Literal["active", "suspended", "error", "off", "test"]

URLS: Final = "urn:ietf:rfc:3986"
"""The system of identifiers that are addresses."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A place, as precisely as one of these: state; city and state; with postal code; with street; postal code alone.

    `country` is two letters (ISO 3166-1).
    """

    line: tuple[str, ...] = ()
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, kw_only=True)
class Portal:
    """Where people manage their access. An empty `url` is ours. `logo_license` holds for all `logos`."""

    name: str
    description: str = ""
    url: str = ""
    logos: tuple[str, ...] = ()
    logo_license: str = ""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What every brand says. `identifiers` are of the form `system|value`; the website's address is always one."""

    website: str = ""
    website_absent: Absent | None = None
    aliases: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ("prov",)
    logos: tuple[str, ...] = ()
    logo_license: str = ""
    address: tuple[Address, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Affiliate(Shown):
    """A house that people know by a name of its own, whose records are at the hospital's door."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Brand(Shown):
    """The hospital's own. `contacts` (https:, mailto: or tel:) are for developers, beside our page for them."""

    contacts: tuple[str, ...] = ()
    endpoint_status: EndpointStatus = "active"
    portal: tuple[Portal, ...] = ()
    affiliate: tuple[Affiliate, ...] = ()


def identifiers(brand: Brand) -> list[tuple[tuple[str, str], ...]]:
    """The (system, value) pairs of the brand and then of each affiliate. No pair is in two of them.

    The first pair of the first is what discovery names. An affiliate whose website stands on a host that is already
    somebody's has no identifier of it: two brands with one identifier would be merged by apps.
    """
    found: list[tuple[tuple[str, str], ...]] = []
    for shown in (brand, *brand.affiliate):
        taken = {pair for pairs in found for pair in pairs}
        own = [site for site in _site(shown) if site not in taken]
        found.append(tuple(dict.fromkeys((*own, *said(shown.identifiers)))))
    return found


def said(texts: Sequence[str]) -> list[tuple[str, str]]:
    """`system|value`, taken apart."""
    return [(system, value) for system, _, value in (text.partition("|") for text in texts)]


def _site(shown: Shown) -> list[tuple[str, str]]:
    """The website's address without "www." and path, as the specification recommends."""
    if not shown.website:
        return []
    parts = urlsplit(shown.website)
    return [(URLS, f"{parts.scheme}://{parts.netloc.lower().removeprefix('www.')}")]
