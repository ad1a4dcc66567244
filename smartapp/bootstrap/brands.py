"""What `smartapp doctor` says of how a hospital is known: whether apps are told, and whether its pictures are there."""

from collections.abc import Iterator
from typing import Final

from smartapp.bootstrap.ground import Ground
from smartapp.errors import SmartappError
from smartapp.outbound.findings import Finding
from smartapp.outbound.origins import origin_of
from smartapp.settings import Portal, Provider
from smartapp.settings.brands import Shown

_BYTES: Final = 2 * 2**20


def survey(ground: Ground, provider: Provider) -> Iterator[Finding]:
    """Asks for each logo once, at the address that the operator gave."""
    name, brand = f"brand of {provider.id}", provider.brand
    if brand is None:
        yield Finding(name, "look", "there is no [provider.brand]: apps do not find this hospital by its name")
        return
    yield Finding(name, "works", f"told at {ground.settings.server.base_url}/{provider.id}/brands")
    shown: tuple[Shown | Portal, ...] = (brand, *brand.portal, *brand.affiliate)
    for logo in dict.fromkeys(logo for each in shown for logo in each.logos):
        yield _logo(ground, f"logo at {provider.id}", logo)


def _logo(ground: Ground, name: str, url: str) -> Finding:
    try:
        door = ground.outbound.for_origins("doctor-logo", (origin_of(url),))
        answer = door.request("GET", url, max_bytes=_BYTES)
    except SmartappError as error:
        return Finding(name, "look", f"{url} does not answer from here ({error.code}): apps must reach it")
    kind = answer.headers.get("Content-Type", "")
    if answer.status != 200 or not kind.startswith("image/"):
        said = f"{answer.status} {kind}".strip()
        return Finding(name, "fails", f"{url} answers {said}, and no picture: correct logos")
    return Finding(name, "works", f"{url} is there")
