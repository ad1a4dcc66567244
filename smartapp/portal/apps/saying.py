"""A permission's terms as sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import ngettext

from smartapp.consent.scopes.algebra import may
from smartapp.portal.apps import words
from smartapp.portal.dates import day_text

if TYPE_CHECKING:
    from smartapp.consent.grants.model import Grant, Terms


def terms_lines(terms: Terms, zone: ZoneInfo, places: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What `terms` allow, a sentence for each line of them. `places` are words for codes of parts of the body."""
    about_studies = [_studies(terms), *_narrowed(terms, zone, places or {})] if _sees_any(terms) else []
    lines = [*about_studies, _reports(terms), _images(terms)]
    return (*lines, _("For: %(purpose)s.", purpose=words.purpose(terms.purpose)))


def until(grant: Grant, zone: ZoneInfo) -> str:
    """How long a permission lasts if nobody ends it."""
    end = grant.expires_at
    if end is not None:
        return str(_("Until the end of %(day)s", day=day_text(end - timedelta(seconds=1), zone)))
    if grant.session_id is not None:
        return str(_("While you are signed in here"))
    return str(_("Until you end it"))


def _sees_any(terms: Terms) -> bool:
    """Whether the app may see anything that belongs to an examination."""
    return any(may(terms.scopes, type_, letter) for type_ in ("ImagingStudy", "DiagnosticReport") for letter in "rs")


def _studies(terms: Terms) -> str:
    narrowed = terms.modalities or terms.body_sites or terms.started_from or terms.started_to
    if terms.chosen is None and narrowed:
        text = _("Not all examinations, only those that fit what follows; those that come later too, if they fit.")
    elif terms.chosen is None:
        text = _("All examinations, and those that come later.")
    else:
        text = ngettext(
            "%(num)s examination that was chosen, none that comes later.",
            "%(num)s examinations that were chosen, none that comes later.",
            len(terms.chosen),
        )
    return str(text)


def _narrowed(terms: Terms, zone: ZoneInfo, places: Mapping[str, str]) -> Iterator[str]:
    if terms.started_from or terms.started_to:
        yield _days(terms.started_from, terms.started_to, zone)
    if terms.modalities:
        yield str(_("Only these kinds: %(kinds)s.", kinds=_listed(map(words.kind, terms.modalities))))
    if terms.body_sites:
        named = (words.part(code, places.get(code, "")) for code in terms.body_sites)
        yield str(_("Only these parts of the body: %(parts)s.", parts=_listed(named)))
    if terms.sensitive:
        yield str(
            ngettext(
                "%(num)s specially protected examination as well.",
                "%(num)s specially protected examinations as well.",
                len(terms.sensitive),
            )
        )


def _days(begin: date | None, end: date | None, zone: ZoneInfo) -> str:
    if begin and end:
        return str(
            _("Only taken from %(begin)s to %(end)s.", begin=day_text(begin, zone), end=day_text(end, zone)),
        )
    if begin:
        return str(_("Only taken on %(begin)s or later.", begin=day_text(begin, zone)))
    return str(_("Only taken on %(end)s or earlier.", end=day_text(end, zone))) if end else ""


def _reports(terms: Terms) -> str:
    asked = any(may(terms.scopes, "DiagnosticReport", letter) for letter in "rs")
    return str(_("With the reports.") if terms.reports and asked else _("Without the reports."))


def _images(terms: Terms) -> str:
    if terms.images == "none" or not may(terms.scopes, "ImagingStudy", "r"):
        return str(_("Without the pictures."))
    if terms.images == "deidentified":
        return str(_("With the pictures, without your name and what else would tell who you are."))
    return str(_("With the pictures."))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
