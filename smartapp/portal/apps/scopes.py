"""What a scope says, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from smartapp.portal.apps import words
from smartapp.portal.dates import iso_text

if TYPE_CHECKING:
    from smartapp.consent.scopes.model import Filter, ResourceScope, Scopes

_WORDS: Final = {
    "openid": _l("Know that it is you who signed in here."),
    "fhirUser": _l("Know your name, as the hospital has it."),
    "offline_access": _l("Stay connected while you are not here, until you end it."),
    "online_access": _l("Stay connected while you are signed in here."),
    "launch": _l("Know which record is open."),
    "launch/patient": _l("Know whose record it may see."),
    "launch/imagingstudy": _l("Know from which examination you opened it."),
}

_TYPES: Final = {
    "ImagingStudy": _l("the examinations: dates, kinds, parts of the body, and their pictures"),
    "DiagnosticReport": _l("the reports"),
    "DocumentReference": _l("the documents that belong to reports"),
    "Binary": _l("the files of reports"),
    "Patient": _l("name, birth date, sex, address and telephone"),
    "Practitioner": _l("the names of the doctors"),
    "Organization": _l("the names of the hospital's departments"),
    "Endpoint": _l("where the pictures can be fetched"),
    "Consent": _l("what you allowed"),
    "AuditEvent": _l("who looked at the record, and when"),
    "*": _l("everything of the record that this site has: examinations, pictures, reports, name and address"),
}

_LEVELS: Final = {"user": _l("of every record that you may see"), "system": _l("of every patient")}

_FILTERS: Final = {
    "modality": _l("kind: %(values)s"),
    "bodysite": _l("part of the body: %(values)s"),
    "started": _l("taken: %(values)s"),
    "date": _l("date: %(values)s"),
    "status": _l("state: %(values)s"),
    "category": _l("category: %(values)s"),
    "code": _l("examination code: %(values)s"),
    "identifier": _l("examination number: %(values)s"),
    "_id": _l("entry: %(values)s"),
}

_COMPARED: Final = {
    "ge": _l("%(day)s or later"),
    "gt": _l("after %(day)s"),
    "le": _l("%(day)s or earlier"),
    "lt": _l("before %(day)s"),
    "sa": _l("after %(day)s"),
    "eb": _l("before %(day)s"),
    "ne": _l("not %(day)s"),
    "eq": "%(day)s",
}
"""Prefixes of a date (FHIR R4 §3.1.1.4.6)."""


def scope_lines(scopes: Scopes) -> tuple[str, ...]:
    """A sentence for each scope, in an order that is always the same."""
    known = (str(_WORDS[word]) for word in sorted(scopes.words) if word in _WORDS)
    return (*known, *map(_sentence, sorted(scopes.resources)))


def _sentence(scope: ResourceScope) -> str:
    level = _LEVELS.get(scope.level.value, "")
    said = _verb(scope.letters, " ".join(map(str, filter(None, (_TYPES.get(scope.type, scope.type), level)))))
    limits = "; ".join(_limit(each) for each in scope.filters)
    return str(_("%(said)s — only %(limits)s.", said=said, limits=limits)) if limits else f"{said}."


def _verb(letters: str, what: str) -> str:
    if set(letters) & set("cud"):
        return str(_("See %(what)s (it asks to change them as well, which no app can do here)", what=what))
    if letters == "rs":
        return str(_("Find and read %(what)s", what=what))
    return str(_("Read %(what)s", what=what) if letters == "r" else _("List %(what)s", what=what))


def _limit(each: Filter) -> str:
    values = ", ".join(dict.fromkeys(_value(each.name, value) for value in each.values))
    template = _FILTERS.get(each.name)
    return str(template) % {"values": values} if template else f"{each.name}: {values}"


def _value(name: str, value: str) -> str:
    code = value.rpartition("|")[2]
    if name == "modality":
        return words.kind(code)
    if name == "bodysite":
        return words.part(code)
    if name in {"started", "date"}:
        return _day(value)
    return code


def _day(value: str) -> str:
    prefix = value[:2] if value[:2] in _COMPARED else "eq"
    day = value.removeprefix(prefix) if value.startswith(prefix) else value
    return str(_COMPARED[prefix]) % {"day": iso_text(day)}
