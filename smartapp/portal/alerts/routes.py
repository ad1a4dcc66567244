"""Your alerts: the address they go to, and the code that shows it to be yours."""

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from smartapp.exchange.alerts.service import AlertsRefused
from smartapp.portal.patient.record import record_of
from smartapp.web import sessions
from smartapp.web.i18n import locale
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("alerts", __name__, url_prefix="/my/<ctx>/alerts")

_TOO_MANY_REQUESTS = 429


@blueprint.get("/")
@rule(Rule.SESSION)
def page(ctx: str) -> str:
    """Where alerts go now, if anywhere."""
    return _page(ctx)


@blueprint.post("/address")
@rule(Rule.SESSION)
def ask(ctx: str) -> tuple[str, int]:
    """Sends a code to an address. The answer is the same whatever becomes of the mail."""
    principal, address = sessions.principal(ctx), request.form.get("address", "").strip()
    try:
        parts().alerts.ask(principal, address, locale(), request_id=request_id())
    except AlertsRefused as refusal:
        return _refused(ctx, refusal, typed=address)
    return _page(ctx, asked=True), 200


@blueprint.post("/confirm")
@rule(Rule.SESSION)
def confirm(ctx: str) -> tuple[str, int]:
    """The code from the mail."""
    principal = sessions.principal(ctx)
    try:
        parts().alerts.confirm(principal, request.form.get("code", ""), request_id=request_id())
    except AlertsRefused as refusal:
        return _refused(ctx, refusal, asked=True)
    return _page(ctx, done=_("Done: alerts go to this address from now on.")), 200


@blueprint.post("/remove")
@rule(Rule.SESSION)
def remove(ctx: str) -> tuple[str, int]:
    """No alerts any more."""
    parts().alerts.remove(sessions.principal(ctx), request_id=request_id())
    return _page(ctx, done=_("Done: we send no alerts any more.")), 200


def _refused(ctx: str, refusal: AlertsRefused, **shown: Any) -> tuple[str, int]:
    status = _TOO_MANY_REQUESTS if refusal.code == "alerts.often" else refusal.status
    words = {
        "alerts.address": _("This is no mail address that we can write to: write it as name@example.org."),
        "alerts.code": _("This code does not work: it may be mistyped, used, or too old. Ask for a new one below."),
        "alerts.often": _("You asked for many codes. Try again in an hour."),
    }
    return _page(ctx, problem=words[refusal.code], **shown), status


def _page(ctx: str, **shown: Any) -> str:
    principal = sessions.principal(ctx)
    alerts = parts().alerts
    address = alerts.address(principal) if alerts.available else None
    return render_template(
        "portal/alerts.html", record=record_of(principal), available=alerts.available, address=address, **shown
    )
