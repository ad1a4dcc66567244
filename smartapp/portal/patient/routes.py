"""A patient's pages. Every address carries the context (session and record) that it belongs to."""

from itertools import groupby

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from smartapp.dicomweb.core.uids import parse_uid
from smartapp.errors import NotFound, UpstreamDown
from smartapp.portal.patient import finding
from smartapp.portal.patient.attachments import download
from smartapp.portal.patient.paging import page_of
from smartapp.portal.patient.record import record_of
from smartapp.portal.patient.viewer_config import viewer_config
from smartapp.records.index import PACS_MISSING
from smartapp.web import headers, sessions
from smartapp.web.again import again_after
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("patient", __name__, url_prefix="/my/<ctx>")

_PICTURES_A_PAGE = 60
_STUDIES_A_PAGE = 50
_UNFILTERED = 8
"""So many studies are seen at a glance: filters above them would only be in the way."""


@blueprint.get("/")
@rule(Rule.SESSION)
def studies(ctx: str) -> str:
    """The list of studies, newest first: all of them, or those that the address asks for."""
    principal = sessions.principal(ctx)
    found = parts().records.studies(principal, request_id())
    wish = finding.wish_of(request.args, parts().keyring, ctx)
    page = page_of(
        [study for study in found.studies if wish.match(study)], request.args.get("page", 1, type=int), _STUDIES_A_PAGE
    )
    return render_template(
        "portal/studies.html",
        record=record_of(principal),
        list=found,
        told=bool(found.foreign) and parts().worklist.told(principal.patient, found.foreign),
        problems=found.problems,
        wish=wish,
        asked=finding.address_of(wish, parts().keyring, ctx),
        choices=finding.choices(found.studies, wish) if wish or len(found.studies) > _UNFILTERED else None,
        page=page,
        years=[(year, list(group)) for year, group in groupby(page.items, finding.year_of)],
    )


@blueprint.post("/find")
@rule(Rule.SESSION)
def find(ctx: str) -> BaseResponse:
    """The list as a person wants it. Words go by POST: they may say what ails somebody; they come back sealed."""
    sessions.principal(ctx)
    given = {name: request.form.get(name, "").strip() for name in ("year", "kind", "part", "words")}
    asked = finding.address_of(finding.Wish(**given), parts().keyring, ctx)
    return redirect(url_for("patient.studies", ctx=ctx, **asked), 303)  # type: ignore[arg-type]  # Flask types its options


@blueprint.get("/studies/<uid>")
@rule(Rule.SESSION)
def study(ctx: str, uid: str) -> str:
    """One study: its report beside its pictures."""
    principal = sessions.principal(ctx)
    found = parts().records.study(principal, parse_uid(uid), request_id())
    ohif = parts().settings.ohif
    if ohif is not None:
        headers.allow_forms_to([ohif.base_url])
    return render_template(
        "portal/study.html",
        ohif=ohif is not None,
        record=record_of(principal),
        study=found.summary,
        series=found.series,
        reports=found.reports,
        withheld=found.withheld,
        again=again_after(found.again),
        problems=found.problems,
        pictures=found.summary.images_available and any(item.pictures for item in found.series),
        viewer_config=viewer_config(ctx, found.summary.uid),
        now=parts().clock.now(),
    )


@blueprint.get("/studies/<uid>/series/<suid>")
@rule(Rule.SESSION)
def series(ctx: str, uid: str, suid: str) -> str | BaseResponse:
    """What is in a series as a plain page: its documents, and its pictures for browsers without script.

    A series that is nothing but one structured report leads to that.
    """
    principal = sessions.principal(ctx)
    found = parts().records.study(principal, parse_uid(uid), request_id())
    wanted = next((item for item in found.series if item.uid == suid), None)
    if wanted is None and PACS_MISSING in found.problems:
        raise UpstreamDown(PACS_MISSING, retry_after=found.again)
    if wanted is None:
        raise NotFound
    instances = parts().records.instances(principal, uid, suid, request_id())
    if [each.paper for each in instances] == ["sr"]:
        return redirect(url_for("patient.structured_report", ctx=ctx, uid=uid, suid=suid, sop=instances[0].sop), 303)
    number = request.args.get("page", 1, type=int)
    return render_template(
        "portal/series.html",
        record=record_of(principal),
        study=found.summary,
        series=wanted,
        papers=[each for each in instances if each.paper],
        page=page_of([each for each in instances if each.frames], number, _PICTURES_A_PAGE),
    )


@blueprint.get("/studies/<uid>/series/<suid>/thumbnail")
@rule(Rule.SESSION)
def series_thumbnail(ctx: str, uid: str, suid: str) -> Response:
    """A small picture of the middle of a series."""
    principal = sessions.principal(ctx)
    return _jpeg(parts().records.thumbnail(principal, parse_uid(uid), parse_uid(suid), None, request_id()))


@blueprint.get("/studies/<uid>/series/<suid>/instances/<sop>/thumbnail")
@rule(Rule.SESSION)
def instance_thumbnail(ctx: str, uid: str, suid: str, sop: str) -> Response:
    """A small picture of one instance."""
    principal = sessions.principal(ctx)
    uids = (parse_uid(uid), parse_uid(suid), parse_uid(sop))
    return _jpeg(parts().records.thumbnail(principal, *uids, request_id()))


@blueprint.get("/studies/<uid>/reports/<rid>/attachments/<int:n>")
@rule(Rule.SESSION)
def attachment(ctx: str, uid: str, rid: str, n: int) -> Response:
    """A document attached to a report, always as a download."""
    principal = sessions.principal(ctx)
    return download(parts().records.attachment(principal, parse_uid(uid), rid, n, request_id()))


@blueprint.get("/studies/<uid>/series/<suid>/instances/<sop>/report")
@rule(Rule.SESSION)
def structured_report(ctx: str, uid: str, suid: str, sop: str) -> str:
    """A structured report among the pictures, as text."""
    principal = sessions.principal(ctx)
    uids = (parse_uid(uid), parse_uid(suid), parse_uid(sop))
    study = parts().records.study(principal, uids[0], request_id()).summary
    document = parts().records.structured_report(principal, *uids, request_id())
    return render_template("portal/structured.html", record=record_of(principal), study=study, document=document)


@blueprint.get("/studies/<uid>/series/<suid>/instances/<sop>/document")
@rule(Rule.SESSION)
def document(ctx: str, uid: str, suid: str, sop: str) -> Response:
    """A PDF among the pictures, always as a download."""
    principal = sessions.principal(ctx)
    uids = (parse_uid(uid), parse_uid(suid), parse_uid(sop))
    return download(parts().records.document(principal, *uids, request_id()))


@blueprint.post("/studies/<uid>/viewer-token")
@rule(Rule.SESSION)
def viewer_token(ctx: str, uid: str) -> Response:
    """A token for the viewer on this study's page: five minutes, this session, this record, this study.

    What it opens is asked again at every request that uses it; a study outside the record gives nothing.
    """
    principal = sessions.principal(ctx)
    token, seconds = parts().viewer_tokens.issue(principal, parse_uid(uid))
    base = parts().settings.server.base_url
    return jsonify(token=token, expires_in=seconds, dicomweb=f"{base}/{principal.patient.provider}/dicomweb")


@blueprint.get("/sessions")
@rule(Rule.SESSION)
def sessions_page(ctx: str) -> str:
    """Where this person is signed in."""
    principal = sessions.principal(ctx)
    found = parts().identity.list_sessions(principal.person_id, current=principal.session_id)
    return render_template("portal/sessions.html", record=record_of(principal), sessions=found)


@blueprint.post("/sessions/<sid>/end")
@rule(Rule.SESSION)
def end_session(ctx: str, sid: str) -> BaseResponse:
    """Ends one of this person's other sessions."""
    sessions.principal(ctx)
    parts().sign_in.end_other(sessions.current(), sid, request_id=request_id())
    return redirect(url_for("patient.sessions_page", ctx=ctx), 303)


def _jpeg(body: bytes) -> Response:
    return Response(body, mimetype="image/jpeg")
