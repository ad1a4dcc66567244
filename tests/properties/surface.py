"""The whole surface of an app's token: what may be asked, an answer without what is drawn at random, and a walk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from smartapp.consent.aliases import alias, study_id
from smartapp.consent.model import AppPrincipal
from tests.fhir_facade.app import App
from tests.gateway.app import MULTIPART
from tests.threats.composed import BASE

FHIR, DICOM = "/st-elsewhere/fhir", "/st-elsewhere/dicomweb"
OCTETS = 'multipart/related; type="application/octet-stream"'
STUDIES = tuple(f"1.2.{n}" for n in range(1, 6))
SERIES = tuple(f"{study}.{n}" for study in STUDIES for n in range(1, 5))
SOPS = tuple(f"{series}.{n}" for series in SERIES for n in range(1, 3))
FINDINGS = ("r1", "r2", "r3", "r4")
_UNTOLD = {"X-Request-Id", "Date"}
_RANDOM = (
    (re.compile(r"req-[\w-]+"), "req"),
    (re.compile(r"_page=[\w-]+"), "_page"),
    (re.compile(r'boundary="?[^";]+"?'), "boundary"),
)
SEARCHES = (
    "", "?_count=1", "?_count=2&_sort=_id", "?_summary=count", "?_total=none&_elements=status", "?_sort=-_lastUpdated",
    "?_lastUpdated=gt2020", "?patient=ana", "?patient=ben", "?_id=r1,r2,r9", "?_has:x:y:z=1",
)  # fmt: skip
OF_STUDIES = (
    "?modality=CT", "?modality=PT", "?modality=MR,SR", "?bodysite=CHEST", "?bodysite=69536005", "?started=ge2026",
    "?started=lt2026&_include=ImagingStudy:endpoint", "?identifier=1.2.2", "?identifier=1.2.5", "?status=available",
    "?_sort=-started&_count=1", "?_include=ImagingStudy:patient",
)  # fmt: skip
OF_REPORTS = (
    "?category=RAD", "?status=final", "?_include=DiagnosticReport:performer&_count=1", "?_sort=date", "?code=x|y",
    "?_include=DiagnosticReport:results-interpreter", "?issued=ge2026",
)  # fmt: skip
TYPES = ("ImagingStudy", "DiagnosticReport", "DocumentReference", "Patient", "Practitioner", "Organization", "Endpoint")
OF_QIDO = (
    "", "?limit=1", "?limit=1&offset=1", "?ModalitiesInStudy=CT", "?ModalitiesInStudy=PT", "?StudyDate=20260101-",
    "?PatientID=*", "?PatientID=SE-1002", "?StudyInstanceUID=1.2.1,1.9.0", "?includefield=all", "?fuzzymatching=true",
)  # fmt: skip


@dataclass(frozen=True)
class Probe:
    """A request. `uids` are the archive's: they are asked for as the grant shows them, or bare if `raw`."""

    path: str
    uids: tuple[str, ...] = ()
    accept: str = ""
    raw: bool = False


Answer = tuple[int, tuple[tuple[str, str], ...], bytes]


@dataclass
class Surface:
    """An app, asking."""

    app: App

    def principal(self) -> AppPrincipal:
        found = self.app.clinic.parts.app_tokens.lookup("st-elsewhere", self.app.token)
        assert isinstance(found, AppPrincipal)
        return found

    def __post_init__(self) -> None:
        self._key = self.principal().alias_key

    def shown(self, uid: str) -> str:
        return alias(self._key, uid) if self._key else uid

    def id_of(self, study: str) -> str:
        return study_id("st-elsewhere", self.shown(study))

    def get(self, probe: Probe) -> TestResponse:
        uids = probe.uids if probe.raw else tuple(map(self.shown, probe.uids))
        path = probe.path.replace("{id}", self.id_of(probe.uids[0])) if "{id}" in probe.path else probe.path
        headers = {"Authorization": f"Bearer {self.app.token}", **({"Accept": probe.accept} if probe.accept else {})}
        return self.app.client.get(path.format(*uids), headers=headers, base_url=BASE)

    def status(self, path: str, *uids: str, accept: str = "") -> int:
        return self.get(Probe(path, uids, accept)).status_code

    def answer(self, probe: Probe) -> Answer:
        """Status, headers and body, without what is drawn at random for each answer."""
        found = self.get(probe)
        headers = tuple(sorted((name, _fixed(value)) for name, value in found.headers if name not in _UNTOLD))
        body = found.data
        if boundary := re.search(r'boundary="?([^";]+)', found.headers.get("Content-Type", "")):
            body = body.replace(boundary[1].encode(), b"boundary")
        if "json" in found.headers.get("Content-Type", "") or found.status_code >= 400:
            body = _fixed(body.decode()).encode()
        return found.status_code, headers, body

    def rows(self, path: str, *uids: str) -> list[Any]:
        found = self.get(Probe(DICOM + path, uids))
        assert found.status_code in {200, 204}, (found.status_code, path, uids, found.text)
        return list(found.get_json(force=True)) if found.status_code == 200 else []

    def resources(self, path: str) -> list[dict[str, Any]]:
        """What a search finds, all pages; its total is their number."""
        found: list[dict[str, Any]] = []
        address: str | None = path
        while address is not None:
            page = self.app.json(address)
            found += [each["resource"] for each in page.get("entry", []) if each["search"]["mode"] == "match"]
            address = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
        assert page["total"] == len(found)
        return found


def _fixed(text: str) -> str:
    for pattern, word in _RANDOM:
        text = pattern.sub(word, text)
    return text


def retrievals(study: str, series: str, sop: str) -> list[Probe]:
    """Every way to something of an instance."""
    place, uids = f"{DICOM}/studies/{{0}}/series/{{1}}/instances/{{2}}", (study, series, sop)
    return [
        Probe(place, uids, MULTIPART),
        Probe(f"{place}/metadata", uids),
        Probe(f"{place}/frames/1", uids, OCTETS),
        Probe(f"{place}/rendered", uids, "image/png"),
        Probe(f"{place}/thumbnail", uids, "image/jpeg"),
        Probe(f"{place}/bulkdata/7FE00010", uids, OCTETS),
    ]


def of_study(study: str) -> list[Probe]:
    """What is asked of a study by its UID."""
    at = f"{DICOM}/studies/{{0}}"
    return [
        Probe(at, (study,), MULTIPART),
        *(Probe(f"{at}/{tail}", (study,)) for tail in ("series", "instances", "metadata", "series?Modality=CT")),
        Probe(f"{FHIR}/ImagingStudy/{{id}}", (study,)),
        Probe(f"{FHIR}/ImagingStudy?_id={{id}}", (study,)),
        Probe(f"{FHIR}/ImagingStudy?identifier={{0}}", (study,)),
    ]


def of_series(study: str, series: str) -> list[Probe]:
    """What is asked of a series by its UID."""
    at, uids = f"{DICOM}/studies/{{0}}/series/{{1}}", (study, series)
    return [
        Probe(at, uids, MULTIPART),
        Probe(f"{at}/instances", uids),
        Probe(f"{at}/metadata", uids),
        Probe(f"{at}/thumbnail", uids, "image/jpeg"),
    ]


def everything() -> list[Probe]:
    """All that may be drawn; UIDs of studies that exist, that may come, and of somebody else's."""
    probes = [Probe(f"{FHIR}/{type_}{query}") for type_ in TYPES for query in SEARCHES]
    probes += [Probe(f"{FHIR}/ImagingStudy{query}") for query in OF_STUDIES]
    probes += [Probe(f"{FHIR}/DiagnosticReport{query}") for query in OF_REPORTS]
    probes += [Probe(f"{FHIR}/DiagnosticReport/{id_}") for id_ in FINDINGS]
    probes += [Probe(f"{FHIR}/Practitioner/{id_}") for id_ in ("dr", "dr2", "none")]
    probes += [Probe(f"{FHIR}/{path}") for path in ("Patient/ana", "Patient/ben", "metadata", "Binary/none", "Consent")]
    probes += [Probe(f"{DICOM}/studies{query}") for query in OF_QIDO]
    for study in (*STUDIES, "1.9.0"):
        probes += of_study(study)
        for series in (f"{study}.{n}" for n in range(1, 5)):
            probes += of_series(study, series)
            probes += retrievals(study, series, f"{series}.1")
    probes.append(Probe(f"{DICOM}/studies/{{0}}/metadata", ("1.2.1",), raw=True))
    return probes


CORE = (
    Probe(f"{FHIR}/ImagingStudy"), Probe(f"{FHIR}/ImagingStudy?_count=1&_sort=-_lastUpdated"),
    Probe(f"{FHIR}/DiagnosticReport?_include=DiagnosticReport:performer"), Probe(f"{FHIR}/DocumentReference"),
    Probe(f"{FHIR}/Practitioner"), Probe(f"{FHIR}/ImagingStudy?modality=PT,SR"), Probe(f"{DICOM}/studies"),
    Probe(f"{DICOM}/studies?includefield=all&limit=2"),
    *(Probe(f"{DICOM}/studies/{{0}}/{tail}", (study,)) for study in STUDIES for tail in ("instances", "metadata")),
    *(Probe(f"{DICOM}/studies/{{0}}", (study,), MULTIPART) for study in STUDIES),
)  # fmt: skip
"""Asked before and after every change."""
