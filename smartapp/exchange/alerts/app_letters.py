"""Letters about apps. None names an app: what an app is called may tell what somebody has."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from smartapp.exchange.alerts.letters import Draft, Letters


class AppLetters(Letters):
    """The letters about apps, in one of our languages."""

    def app_allowed(self) -> Draft:
        """An app was let in, or let in anew."""
        _ = self._say.gettext
        told = _("An app was given access to your account at %(hospital)s.") % {"hospital": self._place.hospital}
        return Draft(_("An app was given access to your account"), self._text(told, self._was_you(), self._where()))

    def app_ended(self) -> Draft:
        """An app's access is over, by somebody's word."""
        _ = self._say.gettext
        told = _("An app no longer has access to your account at %(hospital)s.")
        told %= {"hospital": self._place.hospital}
        return Draft(_("An app no longer has access to your account"), self._text(told, self._where()))

    def app_waits(self) -> Draft:
        """An app can do nothing until the person signs in again."""
        _ = self._say.gettext
        told = _("An app that you gave access to at %(hospital)s has to wait until you sign in again.")
        told %= {"hospital": self._place.hospital}
        return Draft(_("An app waits for you to sign in"), self._text(told, self._where()))

    def app_stopped(self) -> Draft:
        """A key of an app was used twice, so somebody may have copied it: the app's keys open nothing any more."""
        _ = self._say.gettext
        told = _(
            "A key that an app uses for your account at %(hospital)s was used twice. Somebody may have copied it: "
            "we made that app's keys useless."
        ) % {"hospital": self._place.hospital}
        then = _(
            "If you still want the app, open it and give it access again. If not, end its access. You can see there "
            "what it opened until now."
        )
        return Draft(_("We stopped an app, to be safe"), self._text(told, then, self._where()))

    def app_rests_soon(self, at: datetime) -> Draft:
        """An app was not used for long: its access will rest from then on."""
        _ = self._say.gettext
        told = _("An app that you gave access to at %(hospital)s was not used for a long time.")
        told %= {"hospital": self._place.hospital}
        then = _("If nothing happens, its access rests from %(day)s on. You can let it go on at any time.")
        return Draft(_("An app was not used for a long time"), self._text(told, then % self._on(at), self._where()))

    def app_ends_soon(self, at: datetime) -> Draft:
        """An app's access will be over then, as the person wanted it."""
        _ = self._say.gettext
        told = _("An app's access to your account at %(hospital)s ends on %(day)s, as you chose.")
        told %= {"hospital": self._place.hospital, **self._on(at)}
        return Draft(_("An app's access to your account ends soon"), self._text(told, self._where()))

    def review(self) -> Draft:
        """A year has passed: is it still what the person wants?"""
        _ = self._say.gettext
        told = _("It is a year since you last looked at what an app may do with your account at %(hospital)s.")
        told %= {"hospital": self._place.hospital}
        ask = _("Is it still what you want? You can change it or end it at any time.")
        return Draft(_("Do you still want this app to have access?"), self._text(told, ask, self._where()))

    def _was_you(self) -> str:
        return self._say.gettext("If it was you, there is nothing to do.")

    def _where(self) -> str:
        address = f"{self._place.base_url.rstrip('/')}/my/apps"
        return self._say.gettext("You find your apps under “Apps with access”: %(address)s") % {"address": address}

    def _on(self, at: datetime) -> dict[str, str]:
        day = at.astimezone(ZoneInfo(self._place.timezone)).date()
        return {"day": format_date(day, "d MMMM yyyy", locale=self._language)}
