"""The receipt of a grant, as JSON and as a page to print; and a reminder for one's calendar."""

import gettext
import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from smartapp.consent.grants.model import Grant
from smartapp.consent.receipts import receipt
from smartapp.consent.scopes.grammar import text
from smartapp.exchange.copies.report_pdf import Page
from smartapp.exchange.grants.calendar import reminder
from smartapp.exchange.grants.desk import Desk
from smartapp.exchange.grants.model import Receipt
from smartapp.exchange.grants.parties import parties_of
from smartapp.identity.apps.model import App
from smartapp.identity.model import Principal, PrincipalKind

_CATALOGUES: Final = Path(__file__).parents[2] / "translations"


class Receipts:
    """The use-case."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def receipt(self, principal: Principal, grant_id: str, language: str) -> Receipt:
        """What was allowed, to keep. It names the app, and of health only what the patient chose. NotFound."""
        desk, now = self._desk, self._desk.clock.now()
        with desk.database.read() as session:
            grant = desk.grant_of(session, principal, grant_id)
        app = desk.apps.named(grant.provider, grant.client_id)
        provider = desk.settings.provider(grant.provider)
        said = receipt(
            grant, desk.state_of(grant, app), parties_of(provider, app, desk.issuer(provider.id)), made_at=now
        )
        page = _Words(language, provider.timezone).page(grant, provider.name, app, now)
        return Receipt(json.dumps(said, indent=1, ensure_ascii=False).encode(), page)

    def reminder(self, principal: Principal, grant_id: str, at: datetime, summary: str, description: str) -> bytes:
        """A calendar file for one grant. NotFound."""
        desk = self._desk
        with desk.database.read() as session:
            grant = desk.grant_of(session, principal, grant_id)
        base = desk.settings.server.base_url.rstrip("/")
        return reminder(f"{grant.id}@smartapp", at, desk.clock.now(), summary, description, f"{base}/my/apps")


class _Words:
    """The page in one of our languages, at the hospital's clock."""

    def __init__(self, language: str, timezone: str) -> None:
        self._language = language
        self._zone = ZoneInfo(timezone)
        self._say = _catalogue(language)

    def page(self, grant: Grant, hospital: str, app: App | None, now: datetime) -> bytes:
        """The PDF."""
        _ = self._say.gettext
        page = Page(now)
        page.text(_("Receipt: what you allowed an app"), size=16, bold=True)
        page.text(hospital, size=10)
        page.gap()
        for heading, said in self._lines(grant, app):
            page.section(heading, said)
        page.gap()
        page.text(_("Receipt number: %(number)s") % {"number": f"{grant.id}/{grant.version}"}, size=10)
        page.text(_("Made on %(when)s") % {"when": self._moment(now)}, size=10)
        return page.finish(_("Some letters could not be printed."))

    def _lines(self, grant: Grant, app: App | None) -> list[tuple[str, str]]:
        _ = self._say.gettext
        terms = grant.terms
        by = _("The patient") if grant.granted_by is PrincipalKind.PATIENT else _("The patient's representative")
        lines = [
            (_("App"), f"{app.metadata.client_name}\n{app.metadata.client_uri}" if app else grant.client_id),
            (_("Allowed by"), f"{by}, {self._moment(grant.changed_at)}"),
            (_("Until"), self._moment(terms.expires_at) if terms.expires_at else _("Until it is ended")),
            (_("Which studies"), self._studies(grant)),
            (_("Pictures"), self._images(grant)),
            (_("Reports"), _("Yes") if terms.reports else _("No")),
            (_("Purpose (HL7 code)"), terms.purpose),
            (_("Technical permissions (SMART scopes)"), text(terms.scopes)),
        ]
        if terms.modalities:
            lines.insert(4, (_("Only these kinds (DICOM codes)"), ", ".join(sorted(terms.modalities))))
        if terms.body_sites:
            lines.insert(5, (_("Only these parts of the body (codes)"), ", ".join(sorted(terms.body_sites))))
        return lines

    def _studies(self, grant: Grant) -> str:
        _ = self._say.gettext
        terms, chosen = grant.terms, len(grant.terms.chosen or ())
        said = [
            _("All, future ones too")
            if terms.chosen is None and terms.future
            else self._say.ngettext("%(count)s chosen study", "%(count)s chosen studies", chosen) % {"count": chosen}
        ]
        if terms.started_from:
            said.append(_("From %(day)s") % {"day": format_date(terms.started_from, "long", locale=self._language)})
        if terms.started_to:
            said.append(_("To %(day)s") % {"day": format_date(terms.started_to, "long", locale=self._language)})
        return "\n".join(said)

    def _images(self, grant: Grant) -> str:
        _ = self._say.gettext
        return {
            "full": _("Yes"),
            "deidentified": _("Yes, without what identifies the patient"),
            "none": _("No"),
        }[grant.terms.images]

    def _moment(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        clock = format_time(local, "HH:mm zzzz", tzinfo=self._zone, locale=self._language)
        return f"{format_date(local, 'long', locale=self._language)}, {clock}"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("messages", _CATALOGUES, [language], fallback=True)
