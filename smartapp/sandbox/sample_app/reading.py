"""What the app shows: studies, reports, pictures; and a study to take along."""

from collections.abc import Iterator
from typing import Any, Final

from flask import Blueprint, Response

from smartapp.sandbox.sample_app import records
from smartapp.sandbox.sample_app.browser import page, refused, visitor

blueprint = Blueprint("reading", __name__)

_SERIES: Final = "0020000E"
_SOP: Final = "00080018"
_MODALITY: Final = "00080060"


@blueprint.app_errorhandler(records.Refused)
def server_refused(error: records.Refused) -> str:
    """What the server said, as it said it."""
    return refused(error.status, error.said)


@blueprint.get("/studies")
def studies() -> str:
    """All studies and reports that the token reaches."""
    asker = visitor()
    patient = asker.token.get("patient", "")
    found = records.search(asker, "ImagingStudy", patient=patient)
    try:
        reports = records.search(asker, "DiagnosticReport", patient=patient)
    except records.Refused:
        reports = []
    return page("studies.html", studies=[(records.uid_of(each), each) for each in found], reports=reports)


@blueprint.get("/studies/<id_>")
def study(id_: str) -> str:
    """One study: its series, with a picture of each."""
    resource, address = _study(id_)
    series = [_series(address, row) for row in records.rows(visitor(), f"{address}/series")]
    return page("study.html", study=resource, uid=records.uid_of(resource), series=series)


@blueprint.get("/picture/<id_>/<series>/<sop>")
def picture(id_: str, series: str, sop: str) -> Response:
    """One instance as a JPEG, fetched with the visitor's token."""
    _, address = _study(id_)
    url = f"{address}/series/{series}/instances/{sop}/rendered?viewport=256,256"
    return Response(records.ask(visitor(), url, "image/jpeg").content, content_type="image/jpeg")


@blueprint.get("/download/<id_>")
def download(id_: str) -> Response:
    """Hands the study on as it comes: what breaks off on the way breaks off here."""
    _, address = _study(id_)
    body = records.download(visitor(), address)
    first = next(body, b"")

    def whole() -> Iterator[bytes]:
        yield first
        yield from body

    return Response(whole(), content_type="application/octet-stream")


def _study(id_: str) -> tuple[dict[str, Any], str]:
    """The ImagingStudy, and where its images are."""
    asker = visitor()
    fhir = asker.registration.fhir if asker.registration else ""
    resource = records.ask(asker, f"{fhir}/ImagingStudy/{id_}", "application/fhir+json").json()
    return resource, f"{records.dicomweb_of(asker, resource)}/studies/{records.uid_of(resource)}"


def _series(address: str, row: dict[str, Any]) -> dict[str, Any]:
    uid = records.value(row, _SERIES)
    found = records.rows(visitor(), f"{address}/series/{uid}/instances")
    return {
        "uid": uid,
        "modality": records.value(row, _MODALITY),
        "instances": [records.value(each, _SOP) for each in found],
    }
