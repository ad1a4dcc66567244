"""What our letters say. Only the hospital's name, times and browsers: no department, no study, nobody's name."""

import gettext
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

_CATALOGUES: Final = Path(__file__).parents[2] / "translations"


@dataclass(frozen=True)
class Draft:
    """A letter without address."""

    subject: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Place:
    """What a letter may say about where it comes from: the hospital, its clock, and our address."""

    hospital: str
    timezone: str
    base_url: str


class Letters:
    """The letters in one of our languages."""

    def __init__(self, language: str, place: Place) -> None:
        self._language = language
        self._place = place
        self._say = _catalogue(language)

    def signed_in(self, at: datetime, browser: str) -> Draft:
        """Somebody signed in. `browser` is what we call it, or empty."""
        _ = self._say.gettext
        told = _("A new sign-in to your account at %(hospital)s on %(when)s.") % {
            "hospital": self._place.hospital,
            "when": self._when(at),
        }
        browser = _("Browser: %(browser)s") % {"browser": browser or _("Unknown browser")}
        was_you = _("If it was you, there is nothing to do.")
        return Draft(_("A new sign-in to your account"), self._text(told, browser, was_you, self._not_you()))

    def code(self, code: str, minutes: int) -> Draft:
        """How an address is shown to be the person's."""
        _ = self._say.gettext
        told = _("Somebody who is signed in to an account at %(hospital)s wants alerts to come to this address.") % {
            "hospital": self._place.hospital
        }
        how = _("To agree, type this code on the page “Your alerts”. It works once, for %(minutes)s minutes:") % {
            "minutes": minutes
        }
        ignore = _("If you did not ask for this, do nothing: no more mail will come.")
        return Draft(_("Your code for alerts"), self._text(told, how, f"    {code}", ignore))

    def moved(self) -> Draft:
        """To the address of before: another takes its place."""
        _ = self._say.gettext
        told = _("Alerts about your account at %(hospital)s go to another address from now on, and no more to this.")
        told %= {"hospital": self._place.hospital}
        return Draft(_("Your alerts go to another address"), self._text(told, self._not_you()))

    def ended(self) -> Draft:
        """To the address of before: there will be no alerts."""
        _ = self._say.gettext
        told = _("Alerts about your account at %(hospital)s were turned off. No more will come to this address.")
        told %= {"hospital": self._place.hospital}
        return Draft(_("Your alerts were turned off"), self._text(told, self._not_you()))

    def _not_you(self) -> str:
        return self._say.gettext(
            "If it was not you: sign in at %(address)s, choose “Your sign-ins”, press “Sign out everywhere”, and "
            "change your password at the hospital."
        ) % {"address": self._place.base_url}

    def _text(self, *paragraphs: str) -> str:
        end = self._say.gettext(
            "This mail was sent by a machine. It never asks for a password, and nobody reads answers."
        )
        return "\n\n".join((*paragraphs, end)) + "\n"

    def _when(self, at: datetime) -> str:
        zone = ZoneInfo(self._place.timezone)
        return format_datetime(at, "d MMMM yyyy, HH:mm zzzz", tzinfo=zone, locale=self._language)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("messages", _CATALOGUES, [language], fallback=True)
