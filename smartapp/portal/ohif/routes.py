"""On our own origin: a study's page hands OHIF a code, OHIF's page gives it back for a token, and renews that.

Only registered where an OHIF is configured.
"""

import re
from typing import Any, Final

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from smartapp.dicomweb.core.uids import parse_uid
from smartapp.errors import BadInput, NotFound, NotSignedIn
from smartapp.tokens.ohif import OhifDoor, OhifPass
from smartapp.web import cors, sessions
from smartapp.web.parts import parts
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("ohif", __name__)
exchange = Blueprint("ohif_exchange", __name__, url_prefix="/ohif")
exchange.before_request(cors.preflight("POST"))
exchange.after_request(cors.add)

BLUEPRINTS: Final = (blueprint, exchange)

_CODE: Final = re.compile(r"soc_[0-9A-Za-z_-]{43}", re.ASCII)
_BEARER: Final = re.compile(r"Bearer (svt_[0-9A-Za-z_-]{43})", re.ASCII)


@blueprint.post("/my/<ctx>/studies/<uid>/ohif")
@rule(Rule.SESSION)
def open_study(ctx: str, uid: str) -> BaseResponse:
    """Leads the browser to OHIF, with a code behind the #: it is in no request, no log and no Referer."""
    principal = sessions.principal(ctx)
    code = _door().make_code(principal, parse_uid(uid))
    ohif = parts().settings.ohif
    if ohif is None:
        raise NotFound
    return redirect(f"{ohif.base_url}/open#code={code}", 303)


@exchange.route("/token", methods=["POST", "OPTIONS"], provide_automatic_options=False)
@rule(Rule.BEARER)
def token() -> Response:
    """A token for a code (`{"code": …}`): once, and to OHIF's own page only."""
    _require_ohif()
    opened = _door().redeem(_code(request.get_json(silent=True)))
    return jsonify(**_answer(opened.given), study=opened.study_uid)


@exchange.route("/renew", methods=["POST", "OPTIONS"], provide_automatic_options=False)
@rule(Rule.BEARER)
def renew() -> Response:
    """The next token, for the one in the Authorization header while that still counts."""
    _require_ohif()
    match = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        raise NotSignedIn("token")
    return jsonify(_answer(_door().renew(match[1])))


def _door() -> OhifDoor:
    door = parts().ohif
    if door is None:
        raise NotFound
    return door


def _require_ohif() -> None:
    """Browsers say where a script's POST comes from. The code is not looked at, nor used up, for anybody else."""
    if not cors.from_ohif():
        raise BadInput("ohif.origin")


def _code(body: Any) -> str:
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise BadInput("ohif.code")
    return code


def _answer(given: OhifPass) -> dict[str, Any]:
    base = parts().settings.server.base_url
    return {
        "access_token": given.token,
        "token_type": "Bearer",
        "expires_in": given.expires_in,
        "dicomweb": f"{base}/{given.principal.patient.provider}/dicomweb",
    }
