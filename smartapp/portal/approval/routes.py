"""Allow or refuse what an app asks for. The address holds a handle; what is asked for is on our side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from flask import Blueprint, Response, redirect, render_template, request, url_for

from smartapp.errors import BadInput, NotFound
from smartapp.exchange.grants.model import TermsRefused
from smartapp.identity.apps.model import origin
from smartapp.portal.apps.addresses import homes
from smartapp.portal.apps.check import TAMPER
from smartapp.portal.apps.choices import choices_of
from smartapp.portal.apps.page import Filled, filled, presets, preview_of, refused, typed_now
from smartapp.portal.apps.saying import terms_lines
from smartapp.portal.apps.typed import Typed, typed_of
from smartapp.portal.patient.record import Record, record_of
from smartapp.web import headers, sessions
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

if TYPE_CHECKING:
    from smartapp.exchange.approvals.model import Asked
    from smartapp.exchange.grants.model import Offer
    from smartapp.identity.model import Principal
    from smartapp.records.model import StudyList

blueprint = Blueprint("approval", __name__, url_prefix="/<provider>/oauth/approve/<handle>")

_OFFLINE: Final = "offline_access"
_REFUSED: Final = 400


@dataclass(frozen=True)
class _Request:
    """An app's request before the person who decides."""

    handle: str
    asked: Asked
    principal: Principal
    record: Record
    offer: Offer
    studies: StudyList


@blueprint.get("")
@rule(Rule.PUBLIC)
def page(provider: str, handle: str) -> Response | str:
    """The request, as asked. Whoever is not signed in at this hospital signs in there first, and comes back."""
    asked = _asked(provider, handle)
    context = _context(provider)
    lasting = _OFFLINE in asked.scope.split()
    if context is None:
        return _sign_in(provider, handle, lasting=lasting, anew=asked.wants_sign_in)
    session_id = sessions.current().session_id
    parts().approvals.bind(handle, session_id)
    if _is_too_old(asked, context):
        return _sign_in(provider, handle, lasting=lasting, anew=True)
    principal = sessions.principal(context)
    offer = parts().app_grants.offer(principal, asked)
    if offer.needs_lasting:
        parts().approvals.note_offline_tried(handle, session_id)
        return _sign_in(provider, handle, lasting=True)
    found = _Request(handle, asked, principal, record_of(principal), offer, _studies(principal))
    return _page(found, _form(found, _first(found)), said=False)


@blueprint.post("")
@rule(Rule.SESSION)
def decide(provider: str, handle: str) -> Response | str:
    """Yes or no, and back to the app; or the page again, with what the form reaches or what is wrong with it."""
    decision = request.form.get("decision", "preview" if "until" in request.form else "")
    if decision == "deny":
        return _refuse(provider, handle)
    if decision not in {"approve", "preview"}:
        raise BadInput("form.value")
    found = _request(provider, handle)
    form = _form(found, typed_now(found.record.timezone))
    terms, session_id = form.checked.terms, found.principal.session_id
    if decision == "preview" or terms is None:
        return Response(_page(found, form, said=True), 200 if decision == "preview" else _REFUSED)
    try:
        address = parts().app_grants.approve(
            found.principal, handle, terms, session_id=session_id, request_id=request_id()
        )
    except TermsRefused as refusal:
        return Response(_page(found, refused(form, refusal), said=True), refusal.status)
    return _see_other(address)


@blueprint.post("/preview")
@rule(Rule.SESSION)
def preview(provider: str, handle: str) -> str:
    """What the form reaches, as a part of the page: for the script that shows it while one types."""
    found = _request(provider, handle)
    form = _form(found, typed_now(found.record.timezone))
    shown = preview_of(found.principal, form, found.asked.client_id)
    return render_template("portal/_apps_preview.html", record=found.record, **shown)


@blueprint.post("/leave")
@rule(Rule.SESSION)
def leave(provider: str, handle: str) -> Response:
    """Signs out somebody who is not meant. The request waits for whoever signs in next."""
    _asked(provider, handle)
    current = sessions.current()
    parts().approvals.let_go(handle, current.session_id)
    parts().sign_in.sign_out(current, request_id=request_id())
    response = _see_other(url_for("approval.left", provider=provider, handle=handle))
    sessions.clear_session_cookie(response)
    return response


@blueprint.get("/left")
@rule(Rule.PUBLIC)
def left(provider: str, handle: str) -> str:
    """Says that it worked, and how to go on."""
    _asked(provider, handle)
    hospital = parts().settings.provider(provider).name
    return render_template("portal/approval_left.html", provider=provider, handle=handle, hospital=hospital)


def _asked(provider: str, handle: str) -> Asked:
    """The request, if it is one of this hospital's. NotFound otherwise."""
    asked = parts().approvals.open(handle)
    if asked.provider != provider:
        raise NotFound
    return asked


def _context(provider: str) -> str | None:
    """The record of this hospital that is open in the browser's session."""
    session = sessions.current_or_none()
    contexts = session.contexts if session else ()
    return next((each.context_id for each in contexts if each.patient.provider == provider), None)


def _is_too_old(asked: Asked, context_id: str) -> bool:
    """Whether the app wants a later sign-in than the one that opened this record."""
    session = sessions.current()
    auth_time = next(each.auth_time for each in session.contexts if each.context_id == context_id)
    return asked.sign_in_is_too_old(session.created_at, auth_time, parts().clock.now())


def _request(provider: str, handle: str) -> _Request:
    """The request that this browser's page showed. BadInput where it was shown in another session."""
    asked = _asked(provider, handle)
    context = _context(provider)
    if context is None or _is_too_old(asked, context):
        raise NotFound
    parts().approvals.bind(handle, sessions.current().session_id)
    principal = sessions.principal(context)
    offer = parts().app_grants.offer(principal, asked)
    return _Request(handle, asked, principal, record_of(principal), offer, _studies(principal))


def _studies(principal: Principal) -> StudyList:
    return parts().records.studies(principal, request_id())


def _refuse(provider: str, handle: str) -> Response:
    _asked(provider, handle)
    context = _context(provider)
    if context is None:
        raise NotFound
    session_id = sessions.current().session_id
    address = parts().app_grants.refuse(
        sessions.principal(context), handle, session_id=session_id, request_id=request_id()
    )
    return _see_other(address)


def _first(found: _Request) -> Typed:
    """The form as it is shown first: every scope as asked, and the rest as it was allowed before, if it was."""
    offered = choices_of(found.asked.scope, found.offer.scopes, found.studies.studies, Typed(()))
    scopes = tuple(box.value for box in offered.scopes)
    if found.offer.already is None:
        return Typed(scopes)
    return typed_of(found.offer.already.terms, scopes, found.record.timezone, parts().clock.now())


def _form(found: _Request, typed: Typed) -> Filled:
    """The form with what it means. Whoever adds to what was asked tampers with it, and that is written down."""
    choices = choices_of(found.asked.scope, found.offer.scopes, found.studies.studies, typed)
    try:
        return filled(choices, typed, found.record.timezone)
    except BadInput as error:
        if error.code == TAMPER:
            raise parts().approvals.tampered(found.handle, found.principal.session_id) from error
        raise


def _page(found: _Request, form: Filled, *, said: bool) -> str:
    """`said`: somebody pressed a button, so problems are shown.

    The form's answer leads to the app or to the EHR; a loopback redirect URI may have another port than was registered
    (RFC 8252 §7.3).
    """
    app, already, zone = found.offer.app, found.offer.already, found.record.timezone
    ehr = parts().settings.provider(found.asked.provider).trusted_origins
    headers.allow_forms_to(sorted({*ehr, *homes(app), origin(found.asked.redirect_uri)}))
    return render_template(
        "portal/approval.html",
        record=found.record,
        provider=found.asked.provider,
        handle=found.handle,
        app=app,
        already=already,
        already_lines=terms_lines(already.terms, zone) if already else (),
        lasting=_OFFLINE in found.asked.scope.split(),
        works_offline=found.offer.works_offline,
        by_hospital=found.offer.by_hospital,
        right_ends=found.offer.right_ends,
        choices=form.choices,
        typed=form.typed,
        wrong=form.checked.problems if said else {},
        presets=presets(zone),
        problems=found.studies.problems,
        **preview_of(found.principal, form, found.asked.client_id),
    )


def _sign_in(provider: str, handle: str, *, lasting: bool, anew: bool = False) -> Response:
    """To the hospital's sign-in, and then back here. `anew`: also for who is signed in there."""
    begun = parts().sign_in.start_standalone(
        provider, sessions.raw_flow_cookie(), after=handle, lasting=lasting, anew=anew, request_id=request_id()
    )
    response = _see_other(begun.authorize_url)
    sessions.set_flow_cookie(response, begun.browser_secret)
    return response


def _see_other(address: str) -> Response:
    """303 (RFC 9110 §15.4.4): the form's body goes nowhere but here."""
    return cast("Response", redirect(address, 303))
