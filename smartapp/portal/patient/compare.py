"""Two studies of one record side by side."""

from collections.abc import Iterable

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from smartapp.dicomweb.core.uids import parse_uid
from smartapp.errors import NotFound
from smartapp.portal.patient.paging import page_of
from smartapp.portal.patient.record import record_of
from smartapp.portal.patient.viewer_config import viewer_config
from smartapp.portal.words import kind_codes, part_keys
from smartapp.records.model import StudyPage, StudySummary
from smartapp.web import sessions
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("compare", __name__, url_prefix="/my/<ctx>/studies/<uid>/compare")

_OFFERED = 50


@blueprint.get("/")
@rule(Rule.SESSION)
def choose(ctx: str, uid: str) -> str:
    """The other studies with pictures: those of the same kind and part of the body first, then newest first."""
    principal = sessions.principal(ctx)
    found = parts().records.studies(principal, request_id()).studies
    study = next((each for each in found if each.uid == parse_uid(uid)), None)
    if study is None:
        raise NotFound
    others = [each for each in found if each.images_available and each.uid != study.uid]
    page = page_of(likest(study, others), request.args.get("page", 1, type=int), _OFFERED)
    return render_template("portal/compare_choose.html", record=record_of(principal), study=study, page=page)


@blueprint.get("/<other>")
@rule(Rule.SESSION)
def compare(ctx: str, uid: str, other: str) -> str:
    """Both studies, the older one first. Each viewer asks for a token of its own: a token reaches one study."""
    principal = sessions.principal(ctx)
    if parse_uid(uid) == parse_uid(other):
        raise NotFound
    pair = [parts().records.study(principal, each, request_id()) for each in (uid, other)]
    return render_template(
        "portal/compare.html",
        record=record_of(principal),
        sides=[(page, viewer_config(ctx, page.summary.uid)) for page in sorted(pair, key=_age)],
        back=uid,
        link_words={
            "byPlace": _("They scroll together, by place in the body."),
            "byShare": _("They scroll together, by how far through the series."),
            "off": _("Each scrolls by itself."),
        },
    )


def likest(study: StudySummary, others: Iterable[StudySummary]) -> list[StudySummary]:
    """The others, most alike first; among equals their order stays."""
    kinds, body = set(kind_codes(study)), set(part_keys(study))
    return sorted(others, key=lambda each: (kinds.isdisjoint(kind_codes(each)), body.isdisjoint(part_keys(each))))


def _age(page: StudyPage) -> tuple[bool, float]:
    started = page.summary.started
    return started is None, started.timestamp() if started else 0.0
