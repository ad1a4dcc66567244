"""The routes: `/{hospital}/dicom-web/…`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask, Response, abort, g, request
from werkzeug.exceptions import HTTPException

from smartapp.sandbox.pacs.embedded import retrieve, search
from smartapp.sandbox.pacs.embedded.archive import Archive, Instance, Series, Study, read_archive
from smartapp.sandbox.pacs.embedded.config import ArchiveConfig
from smartapp.sandbox.pacs.embedded.guard import Refused, admit
from smartapp.sandbox.pacs.embedded.matching import BadQuery

_ROOT = "/<hospital>/dicom-web"
_STUDY = f"{_ROOT}/studies/<study>"
_SERIES = f"{_STUDY}/series/<series>"
_INSTANCE = f"{_SERIES}/instances/<instance>"
_JSON = "application/dicom+json"


class _Pacs:
    """The archives, as the current reader may see them."""

    def __init__(self, configs: Mapping[str, ArchiveConfig]) -> None:
        self._configs = configs
        self._archives = {id_: read_archive(config.folder) for id_, config in configs.items()}

    def admit(self) -> None:
        if request.routing_exception is not None:  # no such route: Flask says so next
            return
        hospital = g.get("hospital")
        if hospital not in self._configs:
            abort(404)
        reader = admit(self._configs[hospital], request.authorization)
        archive = self._archives[hospital]
        if reader.patient_ids is not None:
            mine = reader.patient_ids
            archive = Archive(study for study in archive.studies() if str(study.header.PatientID) in mine)
        g.archive = archive
        g.base = f"{request.url_root}{hospital}/dicom-web"


def create_app(configs: Mapping[str, ArchiveConfig]) -> Flask:
    """The WSGI application; reads the headers of every file once, before it returns."""
    app = Flask(__name__)
    app.url_value_preprocessor(_take_hospital)
    app.before_request(_Pacs(configs).admit)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(BadQuery, lambda error: _said(400, str(error)))
    app.register_error_handler(retrieve.NotAcceptable, lambda error: _said(406, str(error)))
    app.register_error_handler(HTTPException, lambda error: _said(error.code or 500, error.name))
    _add_searches(app)
    _add_retrievals(app)
    return app


def _take_hospital(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.hospital = (values or {}).pop("hospital", None)


def _said(status: int, sentence: str) -> Response:
    return Response(sentence + "\n", status, mimetype="text/plain")


def _refused(error: Refused) -> Response:
    response = _said(error.status, str(error))
    if error.status == 401:
        response.headers.add("WWW-Authenticate", 'Basic realm="pacs", charset="UTF-8"')
        response.headers.add("WWW-Authenticate", 'Bearer realm="pacs"')
    return response


def _study(uid: str) -> Study:
    archive: Archive = g.archive
    return archive.study(uid) or abort(404)


def _one_series(study: Study, uid: str) -> Series:
    return next((series for series in study.series if series.uid == uid), None) or abort(404)


def _one_instance(series: Series, uid: str) -> Instance:
    return next((instance for instance in series.instances if instance.uid == uid), None) or abort(404)


def _chosen(study: str, series: str | None = None, instance: str | None = None) -> Sequence[Instance]:
    """The instances that a path names, each step looked up inside the one before; 404 if one is not there."""
    found = _study(study)
    if series is None:
        return found.instances
    inside = _one_series(found, series)
    return inside.instances if instance is None else [_one_instance(inside, instance)]


def _arguments() -> list[tuple[str, str]]:
    return list(request.args.items(multi=True))


def _rows(rows: list[dict[str, Any]]) -> Response:
    """Rows as JSON; no rows as 204, as many archives do (PS3.18 §10.6.3.1)."""
    return Response(json.dumps(rows), mimetype=_JSON) if rows else Response(status=204)


def _add_searches(app: Flask) -> None:
    @app.get(f"{_ROOT}/studies")
    def studies() -> Response:
        return _rows(search.search_studies(g.archive, _arguments(), g.base))

    @app.get(f"{_ROOT}/series")
    def all_series() -> Response:
        return _rows(search.search_all_series(g.archive, _arguments(), g.base))

    @app.get(f"{_STUDY}/series")
    def series(study: str) -> Response:
        return _rows(search.search_series(_study(study), _arguments(), g.base))

    @app.get(f"{_STUDY}/instances", defaults={"series": None})
    @app.get(f"{_SERIES}/instances")
    def instances(study: str, series: str | None) -> Response:
        found = _study(study)
        within = found.series if series is None else [_one_series(found, series)]
        return _rows(search.search_instances(found, within, _arguments(), g.base))


def _add_retrievals(app: Flask) -> None:
    @app.get(_STUDY, defaults={"series": None, "instance": None})
    @app.get(_SERIES, defaults={"instance": None})
    @app.get(_INSTANCE)
    def files(study: str, series: str | None, instance: str | None) -> Response:
        chosen = _chosen(study, series, instance)
        _check_accept("application/dicom", chosen)
        return _streamed(retrieve.dicom_body(chosen))

    @app.get(f"{_STUDY}/metadata", defaults={"series": None, "instance": None})
    @app.get(f"{_SERIES}/metadata", defaults={"instance": None})
    @app.get(f"{_INSTANCE}/metadata")
    def metadata(study: str, series: str | None, instance: str | None) -> Response:
        rows = retrieve.metadata(_chosen(study, series, instance), g.base)
        return Response(json.dumps(rows), mimetype=_JSON)

    @app.get(f"{_INSTANCE}/frames/<numbers>")
    def frames(study: str, series: str, instance: str, numbers: str) -> Response:
        chosen = _chosen(study, series, instance)
        _check_accept("application/octet-stream", chosen)
        if not all(number.isascii() and number.isdigit() for number in numbers.split(",")):
            raise BadQuery("frame numbers are whole numbers, separated by commas")
        try:
            return _streamed(retrieve.frames_body(chosen[0], [int(number) for number in numbers.split(",")]))
        except IndexError:
            abort(404)

    @app.get(f"{_INSTANCE}/bulkdata/<tag>")
    def bulkdata(study: str, series: str, instance: str, tag: str) -> Response:
        chosen = _chosen(study, series, instance)
        _check_accept("application/octet-stream", chosen)
        try:
            return _streamed(retrieve.bulk_body(chosen[0], tag))
        except KeyError:
            abort(404)


def _check_accept(media_type: str, instances: Sequence[Instance]) -> None:
    accept = request.headers.get("Accept", "")
    retrieve.check_accept(accept, media_type, {instance.transfer_syntax for instance in instances})


def _streamed(body: retrieve.Body) -> Response:
    return Response(body.pieces, content_type=body.content_type)
