"""ServiceRequest and ImagingStudy of each study."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from smartapp.sandbox.ehr.resources.common import (
    DICOM,
    SNOMED,
    Resource,
    Setting,
    accession,
    concept,
    endpoint_id,
    reference,
    resource,
)
from smartapp.sandbox.ehr.times import instant
from smartapp.sandbox.world import Person, Series, Study


def imaging(setting: Setting) -> Iterator[Resource]:
    """The orders, and the studies where the hospital publishes them."""
    for person in setting.hospital.people:
        for study in person.studies:
            yield _order(setting, person, study)
            if setting.imaging_study:
                yield _study(setting, person, study)


def updated(moment: str) -> str:
    """The instant of a local date and time of the sample world, as `meta.lastUpdated` has it."""
    return instant(datetime.fromisoformat(moment).astimezone(UTC))


def _order(setting: Setting, person: Person, study: Study) -> Resource:
    doctors = [user for user in setting.hospital.users if user.kind == "clinician"]
    return resource(
        "ServiceRequest",
        study.service_request_id,
        {
            "identifier": [accession(setting.hospital, study.accession)],
            "status": "completed",
            "intent": "order",
            "category": [concept(SNOMED, "363679005", "Imaging")],
            "code": {"text": study.description},
            "subject": reference("Patient", person.id),
            "occurrenceDateTime": study.started,
            "authoredOn": study.started,
            "requester": _user(doctors[0].fhir_user, doctors[0].name) if doctors else None,
        },
        updated(study.started),
    )


def _user(fhir_user: str, name: str) -> Resource:
    return {"reference": fhir_user, "display": name}


def _study(setting: Setting, person: Person, study: Study) -> Resource:
    uid = {"use": "official", "system": "urn:dicom:uid", "value": f"urn:oid:{study.uid}"}
    return resource(
        "ImagingStudy",
        study.imaging_study_id,
        {
            "identifier": [uid, accession(setting.hospital, study.accession)],
            "status": "available",
            "modality": [_modality(code) for code in study.modalities],
            "subject": reference("Patient", person.id),
            "started": study.started,
            "basedOn": [reference("ServiceRequest", study.service_request_id)],
            "endpoint": [reference("Endpoint", endpoint_id(setting.hospital))],
            "numberOfSeries": len(study.series),
            "numberOfInstances": sum(series.slices for series in study.series),
            "description": study.description,
            "series": [_series(study, series) for series in study.series],
        },
        updated(study.started),
        study.labels,
    )


def _series(study: Study, series: Series) -> dict[str, Any]:
    code, display = study.body_site
    return {
        "uid": series.uid,
        "number": series.number,
        "modality": _modality(series.modality),
        "description": series.description,
        "numberOfInstances": series.slices,
        "bodySite": {"system": SNOMED, "code": code, "display": display},
        "started": study.started,
    }


def _modality(code: str) -> Resource:
    return {"system": DICOM, "code": code}
