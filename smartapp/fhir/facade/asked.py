"""A search as it came over the wire, read (R4 §3.1.1). What cannot be honoured is refused or left out, not guessed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from smartapp.errors import BadInput
from smartapp.fhir.facade.summary import SummaryMode
from smartapp.records.resources.parameters import INCLUDES, PARAMETERS, Kind, check, sort_key
from smartapp.records.resources.query import DEFAULT_COUNT, MOST, Query
from smartapp.records.resources.values import alternatives, plain

_FORM: Final = frozenset({"_format", "_pretty", "_totalMethod"})
"""What asks for no other resources. `_totalMethod` is no word of R4's, but a client's (fhirpy) that counts: it says how
a server may guess a total, and ours is always exact.
"""
_ONCE: Final = frozenset({"_count", "_sort", "_summary", "_elements", "_total"})
_SUMMARIES: Final = frozenset({"true", "text", "data", "count", "false"})
_TOTALS: Final = frozenset({"none", "estimate", "accurate"})
_MOST_PARAMETERS: Final = 64
_TYPE_MODIFIER: Final = "Patient"
"""The one modifier that is understood: `subject:Patient=…` says what every subject here is."""


@dataclass
class Asked:
    """A search, and how its answer is to be shown. `used` are the parameters that counted, for the self link."""

    query: Query
    summary: SummaryMode = ""
    elements: frozenset[str] = frozenset()
    total: bool = True
    used: list[tuple[str, str]] = field(default_factory=list)


def read_search(
    type_: str, pairs: Sequence[tuple[str, str]], zone: tzinfo, base: str, *, strict: bool, offset: int = 0
) -> Asked:
    """The search that these decoded parameters mean.

    Raises BadInput for values that are none, modifiers, chains, `_has`, `_filter` and other controls; for names that
    are not known only when handling is `strict` (R4 §3.1.1.2), else they are left out.
    """
    if len(pairs) > _MOST_PARAMETERS:
        raise BadInput("fhir-too-many")
    reader = _Reader(type_, zone, strict=strict)
    for name, value in pairs:
        reader.take(name, value)
    return reader.asked(base, offset)


class _Reader:
    def __init__(self, type_: str, zone: tzinfo, *, strict: bool) -> None:
        self._type = type_
        self._zone = zone
        self._strict = strict
        self._criteria: list[tuple[str, tuple[str, ...]]] = []
        self._controls: dict[str, str] = {}
        self._includes: list[str] = []
        self._sort: list[tuple[str, bool]] = []
        self._used: list[tuple[str, str]] = []

    def take(self, name: str, value: str) -> None:
        if name in _FORM:
            return
        if "." in name:
            raise BadInput("fhir-chain")
        bare, colon, modifier = name.partition(":")
        known = PARAMETERS[self._type].get(bare)
        if colon and not (known is not None and known.kind is Kind.REFERENCE and modifier == _TYPE_MODIFIER):
            raise BadInput("fhir-modifier")
        if known is not None:
            self._criterion(bare, name, value)
        elif bare in _ONCE:
            self._control(bare, value)
        elif bare == "_include":
            self._include(value)
        elif bare.startswith("_"):
            raise BadInput("fhir-control")
        elif self._strict:
            raise BadInput("fhir-unknown-parameter")

    def _criterion(self, bare: str, name: str, value: str) -> None:
        asked = alternatives(value)
        if not asked:
            return  # a parameter without a value asks nothing (R4 §3.1.1.4)
        check(self._type, bare, asked, self._zone)
        reference = PARAMETERS[self._type][bare].kind is Kind.REFERENCE
        self._criteria.append((bare, tuple(map(plain, asked)) if reference else asked))
        self._used.append((name, value))

    def _control(self, name: str, value: str) -> None:
        if name in self._controls:
            raise BadInput("fhir-repeated")
        self._controls[name] = value
        if name == "_sort":
            self._sort = list(self._order(value))
            value = ",".join(f"-{each}" if down else each for each, down in self._sort)
        if value:
            self._used.append((name, value))

    def _order(self, value: str) -> Iterable[tuple[str, bool]]:
        for each in filter(None, value.split(",")):
            name = each.removeprefix("-")
            if sort_key(self._type, name) is not None:
                yield name, each.startswith("-")
            elif self._strict:
                raise BadInput("fhir-sort")

    def _include(self, value: str) -> None:
        type_, _, name = value.partition(":")
        bare, _, target = name.partition(":")
        offered = bare in INCLUDES.get(self._type, ()) and type_ == self._type
        if offered and target in {"", *_TARGETS.get(bare, ())}:
            self._includes.append(bare)
            self._used.append(("_include", value))
        elif self._strict:
            raise BadInput("fhir-include")

    def asked(self, base: str, offset: int) -> Asked:
        summary = self._one_of("_summary", _SUMMARIES)
        elements = frozenset(filter(None, self._controls.get("_elements", "").split(",")))
        if elements and summary not in {"", "false"}:
            raise BadInput("fhir-elements")
        count = 0 if summary == "count" else self._count()
        query = Query(self._type, tuple(self._criteria), tuple(self._sort), tuple(self._includes), count, offset, base)
        total = self._one_of("_total", _TOTALS) != "none"
        return Asked(query, summary, elements, total or not count, self._used)  # type: ignore[arg-type]  # one of _SUMMARIES

    def _one_of(self, name: str, allowed: frozenset[str]) -> str:
        value = self._controls.get(name, "")
        if value and value not in allowed:
            raise BadInput(f"fhir{name.replace('_', '-')}")
        return value

    def _count(self) -> int:
        value = self._controls.get("_count", "")
        if not value:
            return DEFAULT_COUNT
        if not value.isascii() or not value.isdigit() or len(value) > 9:
            raise BadInput("fhir-count")
        return min(int(value), MOST)


_TARGETS: Final = {
    "patient": ("Patient",),
    "subject": ("Patient",),
    "endpoint": ("Endpoint",),
    "organization": ("Organization",),
    "performer": ("Practitioner", "Organization"),
    "results-interpreter": ("Practitioner", "Organization"),
}
"""What an include may name as its target type; both kinds of performers come all the same."""
