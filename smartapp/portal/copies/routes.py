"""A copy to keep: of one study from its page, of several from the list. The form is sent by POST, so that neither
passphrase nor choice is in any address.
"""

from itertools import chain

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.http import dump_options_header
from werkzeug.wrappers import Response as BaseResponse

from smartapp.dicomweb.core.uids import parse_uid
from smartapp.errors import BadInput, NotFound
from smartapp.exchange.copies.passphrase import LONGEST, SHORTEST, Passphrase
from smartapp.exchange.copies.service import Copy, Order
from smartapp.portal.copies.words import copy_words, progress_text, size_text
from smartapp.portal.patient.record import record_of
from smartapp.records.model import StudyList
from smartapp.web import sessions
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("copies", __name__, url_prefix="/my/<ctx>")
blueprint.add_app_template_filter(progress_text)


@blueprint.get("/studies/<uid>/keep")
@rule(Rule.SESSION)
def one(ctx: str, uid: str) -> str:
    """What a copy of this study holds, how large it is, and the button."""
    return _page_of_one(ctx, parse_uid(uid))


@blueprint.post("/studies/<uid>/copy")
@rule(Rule.SESSION)
def take_one(ctx: str, uid: str) -> Response:
    """The ZIP of this study; the page again when the passphrase will not do."""
    study = parse_uid(uid)
    try:
        passphrase = _passphrase()
    except BadInput as error:
        return Response(_page_of_one(ctx, study, _advice(error)), 400)
    return _download(ctx, (study,), passphrase, study)


@blueprint.get("/studies/<uid>/copy/progress")
@rule(Rule.SESSION)
@sessions.passive
def progress_of_one(ctx: str, uid: str) -> Response:
    """How far the copy of this study is, as its page asks by itself."""
    return _progress(ctx, parse_uid(uid))


@blueprint.get("/keep")
@rule(Rule.SESSION)
def several(ctx: str) -> str:
    """All studies, to choose from."""
    return _page_of_several(ctx, nothing=request.args.get("chosen") == "none")


@blueprint.post("/copy")
@rule(Rule.SESSION)
def take_several(ctx: str) -> BaseResponse:
    """The ZIP of the chosen studies."""
    sessions.principal(ctx)  # a page of another record is refused before its form is read
    chosen = tuple(parse_uid(uid) for uid in request.form.getlist("study"))
    if not chosen:
        return redirect(url_for("copies.several", ctx=ctx, chosen="none"), 303)
    try:
        passphrase = _passphrase()
    except BadInput as error:
        return Response(_page_of_several(ctx, chosen, _advice(error)), 400)
    return _download(ctx, chosen, passphrase, "")


@blueprint.get("/copy/progress")
@rule(Rule.SESSION)
@sessions.passive
def progress_of_several(ctx: str) -> Response:
    """How far the copy is that was asked for from the list."""
    return _progress(ctx, "")


def _progress(ctx: str, place: str) -> Response:
    """204 where no copy was asked for lately. What is told names nothing of the record."""
    found = parts().copies.progress(sessions.principal(ctx), place)
    if found is None:
        return Response(status=204)
    return jsonify(
        begun=found.begun, running=found.state == "running", percent=found.percent, text=progress_text(found)
    )


def _passphrase() -> Passphrase | None:
    """The passphrase if one was given, in both fields alike. BadInput for one that will not do."""
    text, again = request.form.get("passphrase", ""), request.form.get("again", "")
    if not text and not again:
        return None
    if text != again:
        raise BadInput("copy.passphrase.differ")
    return Passphrase(text)


def _advice(error: BadInput) -> str:
    """What to do about a passphrase that was refused."""
    known = {
        "copy.passphrase.short": _(
            "Use at least %(number)s characters. Four words are easy to remember.", number=SHORTEST
        ),
        "copy.passphrase.long": _("Use at most %(number)s characters.", number=LONGEST),
        "copy.passphrase.differ": _("The two are not the same. Type it again."),
        "copy.passphrase.signs": _(
            "Use letters without accents, digits and signs: programs differ in others. No space at either end."
        ),
    }
    return str(known[error.code])


def _page_of_one(ctx: str, uid: str, problem: str = "") -> str:
    principal = sessions.principal(ctx)
    found = parts().records.study(principal, uid, request_id())
    estimate = parts().copies.estimate(principal, found, request_id())
    return render_template(
        "portal/copy.html",
        record=record_of(principal),
        study=found.summary,
        size=size_text(estimate.bytes) if estimate.instances else "",
        count=estimate.instances,
        withheld=found.withheld,
        papers=estimate.held,
        problems=found.problems,
        problem=problem,
        shortest=SHORTEST,
        progress=parts().copies.progress(principal, uid),
    )


def _page_of_several(ctx: str, chosen: tuple[str, ...] = (), problem: str = "", *, nothing: bool = False) -> str:
    principal = sessions.principal(ctx)
    found = parts().records.studies(principal, request_id())
    if not found.studies:
        raise NotFound
    return render_template(
        "portal/copy.html",
        record=record_of(principal),
        list=found,
        chosen=chosen if chosen or nothing else tuple(study.uid for study in found.studies),
        problems=found.problems,
        problem=problem,
        nothing=nothing,
        shortest=SHORTEST,
        progress=parts().copies.progress(principal, ""),
    )


def _download(ctx: str, studies: tuple[str, ...], passphrase: Passphrase | None, place: str) -> Response:
    principal = sessions.principal(ctx)
    unmatched = _list(ctx).unmatched if len(studies) > 1 else 0
    now = parts().clock.now()
    words = copy_words(record_of(principal), now, encrypted=passphrase is not None, unmatched=unmatched)
    return _streamed(parts().copies.make(principal, Order(studies, words, passphrase, place), request_id()))


def _list(ctx: str) -> StudyList:
    return parts().records.studies(sessions.principal(ctx), request_id())


def _streamed(copy: Copy) -> Response:
    """The copy as a download (RFC 6266 §4.1). Its name is ours, from closed lists, and plain ASCII.

    What fails before the first bytes is an error page; later on it ends the connection without the last chunk, and the
    browser says that the download failed.
    """
    first = next(copy.chunks)
    response = Response(chain((first,), copy.chunks), content_type="application/zip")
    response.headers["Content-Disposition"] = dump_options_header("attachment", {"filename": copy.filename})
    response.call_on_close(copy.chunks.close)
    return response
