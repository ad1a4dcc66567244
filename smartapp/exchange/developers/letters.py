"""The one letter that developers get."""

import gettext
from functools import cache
from pathlib import Path
from typing import Final

from smartapp.exchange.alerts.letters import Draft

_CATALOGUES: Final = Path(__file__).parents[2] / "translations"


def sign_in_link(language: str, base_url: str, link: str, minutes: int) -> Draft:
    """How a developer signs in, in one of our languages."""
    _ = _catalogue(language).gettext
    told = _("Somebody asked to sign in as an app developer at %(address)s with this mail address.")
    how = _("To sign in, open this link. It works once, for %(minutes)s minutes:")
    ignore = _("If you did not ask for this, do nothing: nobody gets in without this link.")
    end = _("This mail was sent by a machine. It never asks for a password, and nobody reads answers.")
    text = (told % {"address": base_url}, how % {"minutes": minutes}, f"    {link}", ignore, end)
    return Draft(_("Your link to the app developers' pages"), "\n\n".join(text) + "\n")


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("messages", _CATALOGUES, [language], fallback=True)
