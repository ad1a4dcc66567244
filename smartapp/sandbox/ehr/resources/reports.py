"""DiagnosticReport of each read study, with its Observations and, for one, a PDF as Binary."""

import base64
from collections.abc import Iterator
from typing import Any

from smartapp.sandbox.ehr.resources.common import (
    SNOMED,
    Resource,
    Setting,
    accession,
    concept,
    reference,
    resource,
    sandbox_identifier,
)
from smartapp.sandbox.ehr.resources.imaging import updated
from smartapp.sandbox.ehr.resources.pdf import one_page
from smartapp.sandbox.world import Person, Report, Study

LOINC_IMAGING = concept("http://loinc.org", "18748-4", "Diagnostic imaging study")
RADIOLOGY = concept("http://terminology.hl7.org/CodeSystem/v2-0074", "RAD", "Radiology")
IMAGING_FINDING = concept("http://terminology.hl7.org/CodeSystem/observation-category", "imaging", "Imaging")
WITH_PDF = frozenset({"rep-ana-ct-chest"})
# What the sample world says in sentences, said once more in fields, for two of its reports.
FINDINGS: dict[str, dict[str, Any]] = {
    "rep-ana-ct-chest": {
        "code": concept(SNOMED, "427359005", "Solitary nodule of lung"),
        "bodySite": {"text": "Right upper lobe"},
        "valueQuantity": {"value": 5, "unit": "mm", "system": "http://unitsofmeasure.org", "code": "mm"},
    },
    "rep-ben-knee": {"code": {"text": "Fracture of the knee"}, "valueBoolean": False},
}


def reports(setting: Setting) -> Iterator[Resource]:
    """Every report, after what it refers to."""
    for person in setting.hospital.people:
        for study in person.studies:
            if study.report:
                yield from _parts(setting, person, study, study.report)


def _parts(setting: Setting, person: Person, study: Study, report: Report) -> Iterator[Resource]:
    if report.id in FINDINGS:
        yield _finding(setting, person, study, report)
    if report.id in WITH_PDF:
        yield _binary(setting, person, report)
    yield _report(setting, person, study, report)


def _finding(setting: Setting, person: Person, study: Study, report: Report) -> Resource:
    id_ = f"obs-{report.id}"
    fields = {
        "identifier": [sandbox_identifier(setting.hospital, f"Observation/{id_}")],
        "status": "final",
        "category": [IMAGING_FINDING],
        "subject": reference("Patient", person.id),
        "effectiveDateTime": study.started,
        "basedOn": [reference("ServiceRequest", study.service_request_id)],
        **FINDINGS[report.id],
    }
    return resource("Observation", id_, fields, updated(report.issued))


def _binary(setting: Setting, person: Person, report: Report) -> Resource:
    lines = [setting.hospital.name, f"{person.given} {person.family}", report.title, *_sentences(report)]
    fields = {
        "contentType": "application/pdf",
        "securityContext": reference("Patient", person.id),
        "data": base64.b64encode(one_page(lines)).decode(),
    }
    return resource("Binary", f"{report.id}-pdf", fields, updated(report.issued))


def _report(setting: Setting, person: Person, study: Study, report: Report) -> Resource:
    code = {**LOINC_IMAGING, "text": report.title}
    fields = {
        "identifier": [accession(setting.hospital, study.accession)],
        "basedOn": [reference("ServiceRequest", study.service_request_id)],
        "status": report.status,
        "category": [RADIOLOGY],
        "code": code,
        "subject": reference("Patient", person.id),
        "effectiveDateTime": study.started,
        "issued": report.issued,
        "performer": [reference("Organization", setting.hospital.id, setting.hospital.name)],
        "result": [reference("Observation", f"obs-{report.id}")] if report.id in FINDINGS else None,
        "imagingStudy": [reference("ImagingStudy", study.imaging_study_id)] if setting.imaging_study else None,
        "conclusion": report.conclusion,
        "presentedForm": list(_forms(setting, report)),
    }
    return resource("DiagnosticReport", report.id, fields, updated(report.issued), study.labels)


def _forms(setting: Setting, report: Report) -> Iterator[Resource]:
    text = "\n".join([report.title, "", *_sentences(report)])
    data = base64.b64encode(text.encode()).decode()
    yield {"contentType": "text/plain; charset=utf-8", "data": data, "title": report.title, "creation": report.issued}
    if report.id in WITH_PDF:
        url = f"{setting.fhir_base}/Binary/{report.id}-pdf"
        yield {"contentType": "application/pdf", "url": url, "title": report.title, "creation": report.issued}


def _sentences(report: Report) -> list[str]:
    return [f"Findings: {report.findings}", f"Conclusion: {report.conclusion}"]
