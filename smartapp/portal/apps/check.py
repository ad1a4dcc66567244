"""From what was typed to what it means, or to what is wrong with it, beside the field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, cast

from flask_babel import gettext as _

from smartapp.consent.grants.model import Images, Terms
from smartapp.consent.scopes.algebra import intersect
from smartapp.consent.scopes.grammar import parse
from smartapp.errors import BadInput

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from smartapp.portal.apps.choices import Choices
    from smartapp.portal.apps.typed import Typed

TAMPER: Final = "consent.tamper"
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_LAST: Final = date(2999, 12, 31)
"""Later days are no days that anybody means, and Python's end soon after."""
_CODE: Final = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?")
"""A DICOM modality (PS3.5 §6.2, CS) or a code of FHIR (R4 §2.24.0.1), which is wider."""
_SIGN_IN: Final = "openid"


@dataclass(frozen=True)
class Checked:
    """The terms, or for each field what to do about it. `terms` is None while there is a problem."""

    terms: Terms | None
    problems: Mapping[str, str] = field(default_factory=dict)


def check(typed: Typed, choices: Choices, zone: ZoneInfo, now: datetime) -> Checked:
    """What `typed` means among `choices`. Days are the hospital's; `now` is aware.

    BadInput (`TAMPER`) for a scope or purpose that was not offered. Kinds and parts of the body that are in no
    study now are kept: they only narrow, and dropping the last of them would allow all.
    """
    _require_offered(typed, choices)
    problems: dict[str, str] = {}
    dates = {name: _day(getattr(typed, name), name, problems) for name in ("started_from", "started_to", "expires")}
    today = now.astimezone(zone).date()
    begin, end, last = dates["started_from"], dates["started_to"], dates["expires"]
    if begin and end and begin > end:
        problems["started_to"] = _("The last day is before the first one.")
    if last and last < today:
        problems["expires"] = _("This day has passed. Choose today or a later one.")
    if not _says_something(typed):
        problems["scope"] = _("Nothing is ticked: tick what the app may see, or refuse.")
    studies = choices.uids & typed.chosen
    if typed.studies == "chosen" and not studies:
        problems["studies"] = _("No examination is ticked: tick at least one, or choose all of them.")
    if not typed.studies:
        problems["studies"] = _("Choose all examinations, or tick some of them.")
    if typed.studies == "all" and studies - choices.labelled_uids:
        problems["studies"] = _("You chose all examinations and ticked some of them. Choose one or the other.")
    if problems:
        return Checked(None, problems)
    terms = _terms(typed, choices)
    return Checked(
        replace(terms, started_from=begin, started_to=end, expires_at=_end_of(last, zone) if last else None), {}
    )


def _terms(typed: Typed, choices: Choices) -> Terms:
    """Which studies "all there are today" are is written down at the approval, from what is there at that moment."""
    ticked = parse(" ".join(typed.scopes))
    one_by_one = typed.studies == "chosen"
    labelled = choices.labelled_uids & typed.chosen
    return Terms(
        scopes=intersect(ticked, choices.offered),
        chosen=frozenset(choices.uids & typed.chosen) if one_by_one else None,
        modalities=typed.modalities,
        body_sites=typed.body_sites,
        reports=typed.with_reports,
        images=cast("Images", typed.images),
        future=not one_by_one and typed.future == "yes",
        purpose=typed.purpose,
        sensitive=frozenset(labelled),
    )


def _require_offered(typed: Typed, choices: Choices) -> None:
    scopes, purposes = ({box.value for box in boxes} for boxes in (choices.scopes, choices.purposes))
    if not scopes.issuperset(typed.scopes) or typed.purpose not in purposes:
        raise BadInput(TAMPER)
    if any(not _CODE.fullmatch(code) for code in typed.modalities | typed.body_sites):
        raise BadInput("form.value")


def _says_something(typed: Typed) -> bool:
    """Whether anything is allowed at all: data, or who the person is."""
    return any("/" in scope and not scope.startswith("launch/") for scope in typed.scopes) or _SIGN_IN in typed.scopes


def _day(text: str, name: str, problems: dict[str, str]) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None or found > _LAST:
        problems[name] = _("This is no date: write it as %(example)s.", example="2026-01-31")
        return None
    return found


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which this day is over at the hospital."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
