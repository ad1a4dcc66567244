"""What a person typed and ticked in the form of a permission, before it means anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from smartapp.errors import BadInput

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from smartapp.consent.grants.model import Terms

_VALUES: Final = {
    "studies": frozenset({"", "all", "chosen"}),
    "reports": frozenset({"", "yes", "no"}),
    "images": frozenset({"full", "deidentified", "none"}),
    "future": frozenset({"yes", "no"}),
}
_ABSENT: Final = {"studies": "", "reports": "no", "images": "none", "future": "no", "purpose": "PATRQT"}
"""What a field that was not sent means: never more than any that could have been sent."""
_LONGEST: Final = 4096


@dataclass(frozen=True)
class Typed:
    """The form's fields as they are sent and shown again. `scopes` are scope strings, `chosen` Study Instance UIDs.

    `reports` may be empty: then they go with full pictures and stay with de-identified ones, since a report names the
    patient.
    """

    scopes: tuple[str, ...]
    studies: str = "all"
    chosen: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    body_sites: frozenset[str] = frozenset()
    started_from: str = ""
    started_to: str = ""
    reports: str = ""
    images: str = "full"
    future: str = "yes"
    purpose: str = "PATRQT"
    expires: str = ""

    @property
    def with_reports(self) -> bool:
        """Whether the reports are allowed: said, or by what was said of the images."""
        return self.reports == "yes" or (self.reports == "" and self.images != "deidentified")


def read(form: MultiDict[str, str]) -> Typed:
    """The form as it was sent. BadInput for a value that none of its fields has."""
    one = {name: form.get(name, absent).strip() for name, absent in _ABSENT.items()}
    dates = {name: form.get(name, "").strip() for name in ("started_from", "started_to", "expires")}
    if any(one[name] not in allowed for name, allowed in _VALUES.items()):
        raise BadInput("form.value")
    many = {name: form.getlist(name) for name in ("scope", "study", "modality", "bodysite")}
    if any(
        len(value) > _LONGEST for value in (*dates.values(), *(each for values in many.values() for each in values))
    ):
        raise BadInput("form.value")
    return Typed(
        scopes=tuple(dict.fromkeys(many["scope"])),
        chosen=frozenset(many["study"]),
        modalities=frozenset(many["modality"]),
        body_sites=frozenset(many["bodysite"]),
        **one,
        **dates,
    )


def typed_of(terms: Terms, scopes: tuple[str, ...], zone: ZoneInfo, now: datetime) -> Typed:
    """The form that says what `terms` say, with these scopes ticked. An end that has passed is left out."""
    over = terms.expires_at is None or terms.expires_at <= now
    end = None if over or terms.expires_at is None else (terms.expires_at - timedelta(seconds=1)).astimezone(zone)
    return Typed(
        scopes=scopes,
        studies="all" if terms.chosen is None else "chosen",
        chosen=(terms.chosen or frozenset()) | terms.sensitive,
        modalities=terms.modalities,
        body_sites=terms.body_sites,
        started_from=terms.started_from.isoformat() if terms.started_from else "",
        started_to=terms.started_to.isoformat() if terms.started_to else "",
        reports=_reports(terms),
        images=terms.images,
        future="yes" if terms.future and terms.chosen is None else "no",
        purpose=terms.purpose,
        expires=end.date().isoformat() if end else "",
    )


def _reports(terms: Terms) -> str:
    """The word that says it; none where the images say it already."""
    if terms.reports == (terms.images != "deidentified"):
        return ""
    return "yes" if terms.reports else "no"
