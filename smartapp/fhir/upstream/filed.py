"""Consents as the EHR has them, cut down to what a decision can hang on, and whom they name."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from smartapp.consent.directives.model import Filed, Named, Token
from smartapp.fhir.upstream.documents import Json, part, parts, text
from smartapp.fhir.upstream.references import Reference, read_reference

_KEPT: Final = (
    "id", "status", "scope", "identifier", "organization", "policyRule", "provision", "implicitRules",
    "modifierExtension",
)  # fmt: skip
_LOOKED_UP: Final = frozenset({"Organization", "Device"})
_MOST: Final = 20
"""Of whom all Consents of a patient name, so many are looked up; the others stay unknown."""
_DEPTH: Final = 40

Read = Callable[[Reference], Json | None]


def filed(rows: Iterable[Json], base: str, read: Read) -> list[Filed]:
    """The Consents, references into this EHR made relative. `read` gives whom they name, or None for
    somebody whom the EHR does not show; raises what that raises.
    """
    known: dict[str, Named | None] = {}

    def look_up(written: str, resource: Json) -> Named | None:
        if written.startswith("#"):
            return next(
                (_named(each) for each in parts(resource, "contained") if f"#{each.get('id')}" == written), None
            )
        if written not in known and len(known) < _MOST:
            known[written] = _shown(read, written)
        return known.get(written)

    return [_one(row, base, look_up) for row in rows]


def _one(row: Json, base: str, look_up: Callable[[str, Json], Named | None]) -> Filed:
    kept: Json = {name: _relative(row[name], base, _DEPTH) for name in _KEPT if name in row}
    written = dict.fromkeys(_actors(kept.get("provision"), _DEPTH))
    found = {each: look_up(each, row) for each in written if _looked_up(each)}
    return Filed(kept, {each: named for each, named in found.items() if named is not None})


def _looked_up(written: str) -> bool:
    if written.startswith("#"):
        return True
    reference = read_reference(written, "")
    return reference is not None and reference.type in _LOOKED_UP


def _shown(read: Read, written: str) -> Named | None:
    reference = read_reference(written, "")
    found = read(reference) if reference is not None else None
    return _named(found) if found is not None else None


def _named(resource: Json) -> Named:
    aliases = resource.get("alias")
    names = [text(resource.get("name"), 300), *(text(each.get("name"), 300) for each in parts(resource, "deviceName"))]
    names += [text(each, 300) for each in aliases] if isinstance(aliases, list) else []
    shown = tuple(name for name in names if name)
    return Named(text(resource.get("resourceType"), 64), shown, tuple(_identifiers(resource)))


def _identifiers(resource: Json) -> Iterator[Token]:
    for each in parts(resource, "identifier"):
        yield text(each.get("system"), 300), text(each.get("value"), 300)


def _actors(provision: Any, depth: int) -> Iterator[str]:
    """The references of all actors, on every level."""
    for node in parts({"provision": provision}, "provision") if depth else ():
        for actor in parts(node, "actor"):
            if written := text(part(actor, "reference").get("reference")):
                yield written
        yield from _actors(node.get("provision"), depth - 1)


def _relative(value: Any, base: str, depth: int) -> Any:
    """`value`, with references into this EHR written as it would write them itself; cut where it is too deep."""
    if not depth:
        return None
    if isinstance(value, list):
        return [_relative(each, base, depth - 1) for each in value]
    if not isinstance(value, Mapping):
        return value
    found = {name: _relative(each, base, depth - 1) for name, each in value.items()}
    written = found.get("reference")
    reference = read_reference(written, base) if isinstance(written, str) else None
    return {**found, "reference": str(reference)} if reference is not None else found
