"""What the form of a permission needs to be shown, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from flask import request
from flask_babel import gettext as _

from smartapp.errors import BadInput
from smartapp.portal.apps.check import Checked, check
from smartapp.portal.apps.typed import read
from smartapp.web.parts import parts
from smartapp.web.reference import request_id

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from smartapp.exchange.grants.model import TermsRefused
    from smartapp.identity.model import Principal
    from smartapp.portal.apps.choices import Choices
    from smartapp.portal.apps.typed import Typed

PRESETS: Final = (30, 90, 365)
"""Ends that one press sets, in days."""


@dataclass(frozen=True)
class Filled:
    """A form as it stands: what is offered, what was typed, and what that means."""

    choices: Choices
    typed: Typed
    checked: Checked

    @property
    def fixed(self) -> bool:
        """Whether later studies stay out."""
        return self.typed.studies == "chosen" or self.typed.future == "no"


def typed_now(zone: ZoneInfo) -> Typed:
    """What the request's form says; an end set by one press takes the place of a typed one."""
    typed, preset = read(request.form), request.form.get("until", "")
    if not preset:
        return typed
    if preset not in map(str, PRESETS):
        raise BadInput("form.value")
    return replace(typed, expires=presets(zone)[int(preset)])


def filled(choices: Choices, typed: Typed, zone: ZoneInfo) -> Filled:
    """The form with what it means now."""
    return Filled(choices, typed, check(typed, choices, zone, parts().clock.now()))


def presets(zone: ZoneInfo) -> dict[int, str]:
    """The days that the presets lead to, at the hospital."""
    today = parts().clock.now().astimezone(zone).date()
    return {days: (today + timedelta(days=days)).isoformat() for days in PRESETS}


def refused(form: Filled, refusal: TermsRefused) -> Filled:
    """The form after the terms were not taken: what the page could not know, beside its field."""
    named: dict[str, tuple[str, str]] = {
        "grant.nothing": ("scope", _("Nothing is ticked: tick what the app may see, or refuse.")),
        "grant.studies": ("studies", _("The list of examinations has changed. Look at what is ticked, and try again.")),
        "grant.nothing-now": ("studies", _("No examination fits this today. Let it see later ones, or choose others.")),
        "grant.expires": ("expires", _("Your right to decide for this person ends before that.")),
        "grant.widens": ("scope", _("That would allow more than before. The app has to ask you for it again.")),
    }
    field, text = named.get(refusal.code, ("scope", _("This cannot be allowed. Look at what you chose.")))
    return replace(form, checked=Checked(None, {field: text}))


def preview_of(principal: Principal, form: Filled, client_id: str) -> dict[str, Any]:
    """What the part of the page needs that says what the form reaches today, for the app."""
    terms, preview = form.checked.terms, None
    if terms is not None:
        preview = parts().app_grants.preview(principal, terms, client_id=client_id, request_id=request_id())
    return {"preview": preview, "fixed": form.fixed}
