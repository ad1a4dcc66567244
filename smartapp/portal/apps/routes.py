"""Apps with access: what each may see, what it did see, and its end. Every address carries the context."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.http import dump_options_header

from smartapp.consent.grants.model import LIVING, GrantState
from smartapp.consent.scopes.grammar import text
from smartapp.errors import BadInput, NotFound
from smartapp.exchange.grants.model import TermsRefused
from smartapp.identity.apps.model import AppState
from smartapp.portal.apps import words
from smartapp.portal.apps.addresses import homes, host, is_web_address, with_query
from smartapp.portal.apps.choices import choices_of, within
from smartapp.portal.apps.page import Filled, filled, presets, preview_of, refused, typed_now
from smartapp.portal.apps.saying import terms_lines, until
from smartapp.portal.apps.scopes import scope_lines
from smartapp.portal.apps.typed import Typed, typed_of
from smartapp.portal.patient.record import record_of
from smartapp.tokens.model import on_system
from smartapp.web import headers, sessions
from smartapp.web.i18n import locale
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

if TYPE_CHECKING:
    from smartapp.exchange.grants.model import GrantView
    from smartapp.identity.apps.model import App
    from smartapp.identity.model import Principal
    from smartapp.records.model import StudySummary

home_blueprint = Blueprint("apps_home", __name__)
blueprint = Blueprint("apps", __name__, url_prefix="/my/<ctx>/apps")
blueprint.add_app_template_test(is_web_address, "web_address")
blueprint.add_app_template_filter(host)
blueprint.add_app_template_filter(words.state, "grant_state")
blueprint.add_app_template_filter(words.advice, "grant_advice")
blueprint.add_app_template_filter(words.event, "grant_event")
blueprint.add_app_template_filter(words.actor, "grant_actor")

_REMIND_AFTER: Final = timedelta(days=90)
_REMIND_BEFORE: Final = timedelta(days=6, hours=14)
"""Ends are midnights at the hospital: this makes it ten in the morning there, and wakes nobody."""


@home_blueprint.get("/my/apps")
@rule(Rule.PUBLIC)
def home() -> Response:
    """SMART's `management_endpoint`: to the apps of the record that is open here, else to the sign-in."""
    session = sessions.current_or_none()
    if session is None or not session.contexts:
        return _see_other(url_for("signin.home"))
    return _see_other(url_for("apps.page", ctx=session.contexts[0].context_id))


@blueprint.get("/")
@rule(Rule.SESSION)
def page(ctx: str) -> str:
    """All apps: those with access, those that had it, and those that can be opened from here. With a study in the query
    they open with that one.
    """
    principal = sessions.principal(ctx)
    record = record_of(principal)
    views = parts().app_grants.list(principal)
    openable = _openable(principal)
    headers.allow_forms_to(_on_the_way(principal, openable))
    return render_template(
        "portal/apps.html",
        record=record,
        living=[view for view in views if _living(view)],
        over=[view for view in views if not _living(view)],
        lines={view.grant.id: terms_lines(view.terms, record.timezone) for view in views},
        until={view.grant.id: until(view.grant, record.timezone) for view in views},
        openable=openable,
        study=_study(principal, request.args.get("study")),
    )


@blueprint.get("/<grant>/")
@rule(Rule.SESSION)
def one(ctx: str, grant: str) -> str:
    """One app's access: what it may see, what it did see, its history, and how to change it."""
    return _one(ctx, grant)


@blueprint.post("/<grant>/change")
@rule(Rule.SESSION)
def change(ctx: str, grant: str) -> Response:
    """Narrows it. The page again, to show what the form reaches, or what is wrong with it."""
    principal = sessions.principal(ctx)
    view = parts().app_grants.view(principal, grant, request_id=request_id())
    form = _form(principal, view, typed_now(record_of(principal).timezone))
    terms = form.checked.terms
    if request.form.get("decision") != "change":
        return Response(_one(ctx, grant, form))
    if terms is None:
        return Response(_one(ctx, grant, form), BadInput.status)
    try:
        parts().app_grants.change(principal, grant, terms, request_id=request_id())
    except TermsRefused as refusal:
        return Response(_one(ctx, grant, refused(form, refusal)), refusal.status)
    return _back(ctx, grant)


@blueprint.post("/<grant>/preview")
@rule(Rule.SESSION)
def preview(ctx: str, grant: str) -> str:
    """What the form of a change reaches, as a part of the page."""
    principal = sessions.principal(ctx)
    view = parts().app_grants.view(principal, grant, request_id=request_id())
    form = _form(principal, view, typed_now(record_of(principal).timezone))
    return render_template(
        "portal/_apps_preview.html", record=record_of(principal), **preview_of(principal, form, view.grant.client_id)
    )


@blueprint.post("/<grant>/revoke")
@rule(Rule.SESSION)
def revoke(ctx: str, grant: str) -> Response:
    """Ends it, from this moment and for ever."""
    parts().app_grants.end(sessions.principal(ctx), grant, request_id=request_id())
    return _back(ctx, grant)


@blueprint.post("/<grant>/pause")
@rule(Rule.SESSION)
def pause(ctx: str, grant: str) -> Response:
    """Not now: the app sees nothing, and stays."""
    parts().app_grants.pause(sessions.principal(ctx), grant, request_id=request_id())
    return _back(ctx, grant)


@blueprint.post("/<grant>/resume")
@rule(Rule.SESSION)
def resume(ctx: str, grant: str) -> Response:
    """The end of a pause."""
    parts().app_grants.resume(sessions.principal(ctx), grant, request_id=request_id())
    return _back(ctx, grant)


@blueprint.post("/<grant>/wake")
@rule(Rule.SESSION)
def wake(ctx: str, grant: str) -> Response:
    """The end of a rest."""
    parts().app_grants.wake(sessions.principal(ctx), grant, request_id=request_id())
    return _back(ctx, grant)


@blueprint.get("/<grant>/receipt.json")
@rule(Rule.SESSION)
def receipt_json(ctx: str, grant: str) -> Response:
    """The receipt, for programs."""
    receipt = parts().app_grants.receipt(sessions.principal(ctx), grant, language=locale())
    return _download(receipt.json, "application/json", "consent-receipt.json")


@blueprint.get("/<grant>/receipt.pdf")
@rule(Rule.SESSION)
def receipt_pdf(ctx: str, grant: str) -> Response:
    """The receipt, to keep or print."""
    receipt = parts().app_grants.receipt(sessions.principal(ctx), grant, language=locale())
    return _download(receipt.pdf, "application/pdf", "consent-receipt.pdf")


@blueprint.get("/<grant>/reminder.ics")
@rule(Rule.SESSION)
def reminder(ctx: str, grant: str) -> Response:
    """A day in one's own calendar to look again: in good time before the end, else in three months. It names nobody."""
    principal = sessions.principal(ctx)
    view = parts().app_grants.view(principal, grant, request_id=request_id())
    body = parts().app_grants.reminder(
        principal,
        grant,
        _look_again(view.grant.expires_at),
        summary=_("Look at the apps that you gave access"),
        description=_("Do you still want them to have it? You can change or end it."),
    )
    return _download(body, "text/calendar; charset=utf-8", "reminder.ics")


@blueprint.post("/launch/<client_id>")
@rule(Rule.SESSION)
def launch(ctx: str, client_id: str) -> Response:
    """Opens an app for this record, or for a study of it (SMART App Launch 2.2, EHR launch)."""
    principal = sessions.principal(ctx)
    provider = principal.patient.provider
    app = parts().apps.find(provider, client_id)
    if app is None:
        raise NotFound
    study = request.form.get("study") or None
    value = parts().app_grants.launch_value(principal, app, study, request_id=request_id())
    iss = f"{parts().settings.server.base_url}/{provider}/fhir"
    return _see_other(with_query(app.metadata.launch_uri, iss=iss, launch=value))


def _look_again(end: datetime | None) -> datetime:
    """About a week before the end, and where that is nearer, half of what is left before it."""
    now = parts().clock.now()
    return now + _REMIND_AFTER if end is None or end <= now else max(end - _REMIND_BEFORE, now + (end - now) / 2)


def _openable(principal: Principal) -> tuple[App, ...]:
    apps = parts().apps.list(principal.patient.provider, AppState.ACTIVE)
    return tuple(app for app in apps if is_web_address(app.metadata.launch_uri))


def _on_the_way(principal: Principal, apps: tuple[App, ...]) -> list[str]:
    """Where opening one of them leads: to the app, and by its request through the hospital's sign-in."""
    hospital = parts().settings.provider(principal.patient.provider).trusted_origins if apps else ()
    return sorted({*hospital, *(address for app in apps for address in homes(app))})


def _study(principal: Principal, uid: str | None) -> StudySummary | None:
    """The study that an app is to open with. NotFound for one that the person does not see."""
    if uid is None:
        return None
    found = (study for study in parts().records.studies(principal, request_id()).studies if study.uid == uid)
    study = next(found, None)
    if study is None:
        raise NotFound
    return study


def _living(view: GrantView) -> bool:
    return view.state in LIVING or view.state is GrantState.SUSPENDED


def _form(principal: Principal, view: GrantView, typed: Typed) -> Filled:
    """The form of a change: nothing in it allows more than there is."""
    studies = parts().records.studies(principal, request_id()).studies
    scopes = view.terms.scopes
    choices = within(choices_of(text(scopes), scopes, studies, typed), view.terms)
    return filled(choices, typed, record_of(principal).timezone)


def _one(ctx: str, grant: str, form: Filled | None = None) -> str:
    principal = sessions.principal(ctx)
    record = record_of(principal)
    view = parts().app_grants.view(principal, grant, request_id=request_id())
    shown = form or _unchanged(principal, view)
    changed = (
        {"choices": shown.choices, "typed": shown.typed, **preview_of(principal, shown, view.grant.client_id)}
        if shown
        else {}
    )
    return render_template(
        "portal/apps_grant.html",
        record=record,
        view=view,
        app=view.app,
        living=view.state in LIVING,
        lines=terms_lines(view.terms, record.timezone),
        scope_lines=scope_lines(view.terms.scopes),
        until=until(view.grant, record.timezone),
        by_hospital=on_system(view.grant.credential_id),
        changing=form is not None,
        change=shown is not None,
        wrong=form.checked.problems if form else {},
        presets=presets(record.timezone),
        **changed,
    )


def _unchanged(principal: Principal, view: GrantView) -> Filled | None:
    """The form as the permission stands; None where there is nothing left to change."""
    if view.state not in LIVING:
        return None
    zone, now = record_of(principal).timezone, parts().clock.now()
    return _form(principal, view, typed_of(view.terms, tuple(text(view.terms.scopes).split()), zone, now))


def _download(body: bytes, content_type: str, filename: str) -> Response:
    response = Response(body, content_type=content_type)
    response.headers["Content-Disposition"] = dump_options_header("attachment", {"filename": filename})
    return response


def _back(ctx: str, grant: str) -> Response:
    return _see_other(url_for("apps.one", ctx=ctx, grant=grant))


def _see_other(address: str) -> Response:
    """303 (RFC 9110 §15.4.4): what was sent here goes nowhere else."""
    return cast("Response", redirect(address, 303))
