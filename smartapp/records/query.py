"""A QIDO-RS query: read from its parameters, and applied to rows that are already known to be visible. Pure.

The PACS is never sent any of it: an archive that reads `*` or a comma in its own way cannot widen what is answered.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from smartapp.dicomweb.core.dicomjson import Row, values
from smartapp.errors import BadInput
from smartapp.records.attributes import BY_NAME, Level, by_default, returnable
from smartapp.records.matching import Matcher, matcher

_MOST_CONDITIONS: Final = 32
_LONGEST_VALUE: Final = 1024
_NAMING: Final = frozenset({"PatientID", "PatientName", "StudyInstanceUID"})
_PATTERN, _LIST = frozenset("*?"), frozenset("\\,")
_FIELD = re.compile(r"[0-9A-Za-z]{1,64}\Z", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,9}\Z", re.ASCII)


@dataclass(frozen=True)
class Condition:
    """One attribute to match."""

    keyword: str
    matches: Matcher


@dataclass(frozen=True)
class QidoQuery:
    """Conditions that must all hold, the tags to return, and the page (`limit` None: all). `fuzzy` was asked for."""

    level: Level
    conditions: tuple[Condition, ...]
    fields: frozenset[str]
    odd: tuple[str, ...] = ()
    """Keys of persons and studies that were asked for in a way that some archives read as more than one."""
    limit: int | None = None
    offset: int = 0
    fuzzy: bool = False

    def apply(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """The rows that match, cut to the page and to the fields, in the order given."""
        found = [row for row in rows if all(c.matches(texts(row, c.keyword)) for c in self.conditions)]
        end = None if self.limit is None else self.offset + self.limit
        return [{tag: row[tag] for tag in sorted(row) if tag in self.fields} for row in found[self.offset : end]]


def foreign(query: QidoQuery, patient_ids: Sequence[str]) -> tuple[str, ...]:
    """The keys that ask for somebody who is not the patient with these PatientIDs."""
    asked = (each for each in query.conditions if each.keyword == "PatientID")
    return tuple(f"{each.keyword}:foreign" for each in asked if not each.matches(list(patient_ids)))


def texts(row: Row, keyword: str) -> list[str]:
    """The values of an element as text; a person's name by its alphabetic group (PS3.18 §F.2.2)."""
    return [_as_text(value) for value in values(row, keyword)]


def _as_text(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("Alphabetic", ""))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def parse_query(level: Level, parameters: Sequence[tuple[str, str]]) -> QidoQuery:
    """The query that these decoded parameters mean, in any order (PS3.18 §8.3.4). BadInput for what is not known."""
    conditions: list[Condition] = []
    fields = set(by_default(level))
    once: dict[str, str] = {}
    if len(parameters) > _MOST_CONDITIONS:
        raise BadInput("qido-too-many")
    for name, value in parameters:
        if len(value) > _LONGEST_VALUE or "\0" in value:
            raise BadInput("qido-value")
        if name == "includefield":
            fields |= _included(level, value)
        elif name in {"limit", "offset", "fuzzymatching"}:
            if name in once:
                raise BadInput("qido-repeated")
            once[name] = value
        else:
            conditions.append(_condition(level, name, value))
    return QidoQuery(
        level=level,
        odd=tuple(dict.fromkeys(_odd(parameters))),
        conditions=tuple(conditions),
        fields=frozenset(fields),
        limit=_count(once["limit"]) if "limit" in once else None,
        offset=_count(once.get("offset", "0")),
        fuzzy=_flag(once.get("fuzzymatching", "false")),
    )


def _odd(parameters: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in parameters:
        attribute = BY_NAME.get(name.upper() if name[:1].isdigit() else name)
        if attribute is None or attribute.keyword not in _NAMING:
            continue
        if not value.strip():
            yield f"{attribute.keyword}:empty"
        if _PATTERN.intersection(value):
            yield f"{attribute.keyword}:wildcard"
        if _LIST.intersection(value):
            yield f"{attribute.keyword}:list"


def _condition(level: Level, name: str, value: str) -> Condition:
    attribute = BY_NAME.get(name.upper() if name[:1].isdigit() else name)
    if attribute is None or not attribute.matchable or attribute.level > level:
        raise BadInput("qido-attribute")
    return Condition(attribute.keyword, matcher(attribute.vr, value))


def _included(level: Level, value: str) -> set[str]:
    """The tags of `includefield`. One that is not on the list is not returned, and no error (PS3.18 §8.3.4.3)."""
    found: set[str] = set()
    for name in value.split(","):
        if not _FIELD.match(name):
            raise BadInput("qido-includefield")
        if name == "all":
            return set(returnable(level))
        attribute = BY_NAME.get(name.upper() if name[:1].isdigit() else name)
        if attribute is not None and attribute.tag in returnable(level):
            found.add(attribute.tag)
    return found


def _count(value: str) -> int:
    if not _COUNT.match(value):
        raise BadInput("qido-page")
    return int(value)


def _flag(value: str) -> bool:
    if value not in {"true", "false"}:
        raise BadInput("qido-fuzzymatching")
    return value == "true"
