"""Observation in words (FHIR R4 observation.html)."""

from smartapp.fhir.upstream.documents import Json, part, parts, text, words
from smartapp.fhir.upstream.model import Observation


def read_observation(resource: Json) -> Observation | None:
    """The finding, or None if it names nothing or was entered in error."""
    name, status = words(part(resource, "code")), text(resource.get("status"), 30)
    if not name or status in {"entered-in-error", "cancelled"}:
        return None
    components = (
        f"{words(part(entry, 'code'))}: {value}" for entry in parts(resource, "component") if (value := _value(entry))
    )
    return Observation(name, _value(resource) or "; ".join(components), status)


def _value(holder: Json) -> str:
    if said := text(holder.get("valueString")) or words(part(holder, "valueCodeableConcept")):
        return said
    if isinstance(flag := holder.get("valueBoolean"), bool):
        return "yes" if flag else "no"
    for name in ("valueInteger", "valueDateTime", "valueTime"):
        if isinstance(found := holder.get(name), int | str):
            return str(found)
    quantity = part(holder, "valueQuantity")
    number = quantity.get("value")
    if isinstance(number, bool) or not isinstance(number, int | float):
        return ""
    unit = text(quantity.get("unit"), 40) or text(quantity.get("code"), 40)
    return f"{text(quantity.get('comparator'), 2)}{number} {unit}".strip()
