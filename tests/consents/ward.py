"""A hospital that is asked for Consents, what it has on file, and all the ways in which an app could see a study."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from smartapp.audit.references import row_aad
from smartapp.audit.tables import AuditEventRow
from tests.consent.archive import ANA
from tests.fhir_facade.app import App, Clinic, Json, clinic
from tests.support.databases import SqliteFiles
from tests.threats.composed import BASE, LIMITS
from tests.threats.hospital import Hospital, Record

LIMITS_HERE = replace(LIMITS, index_max_age=2)
PAST = 3
"""In seconds: an index as old as this is fetched anew. The hospital's own tokens live for an hour."""
EVERYTHING = {"1.2.3", "1.5", "1.6"}
REPORTS = {"r1": "1.2.3", "r2": "1.5"}
SERIES = {"1.2.3": "1.2.3.1", "1.5": "1.5.1", "1.6": "1.6.1"}


@dataclass
class Ward:
    """The clinic, whose Consents a test chooses. `log` and `asked` tell what reached the hospital."""

    clinic: Clinic

    @property
    def hospital(self) -> Hospital:
        return self.clinic.composed.first

    @property
    def record(self) -> Record:
        return self.hospital.records["ana"]

    def file(self, *consents: Json) -> None:
        """What is on file from now on; the next index is a new one."""
        self.record.consents[:] = consents
        self.refresh()

    def refresh(self) -> None:
        self.clinic.composed.clock.advance(PAST)

    def asked(self, path: str = "/fhir/Consent") -> list[Any]:
        return self.hospital.ehr.server.asked(path)

    def denials(self) -> list[dict[str, str]]:
        """What the trail says of each refusal, oldest first."""
        ground = self.clinic.composed.ground
        with ground.database.read() as session:
            rows = session.scalars(select(AuditEventRow).order_by(AuditEventRow.seq)).all()
        return [
            ground.audit._references.open_(
                row.detail, row_aad(row.kind, row.at, row.patient_ref, row.disclosure_id, row.request_id), ANA
            )
            for row in rows
            if row.kind == "authz.denied"
        ]


def sees(app: App) -> set[str]:
    """The studies of a list, by FHIR and by QIDO, which have to say the same."""
    page = app.json("/ImagingStudy?_count=50")
    found = [each["resource"] for each in page.get("entry", []) if each["search"]["mode"] == "match"]
    listed = {each["identifier"][0]["value"].removeprefix("urn:oid:") for each in found}
    assert page["total"] == len(listed)
    answer = dicomweb(app, "/studies")
    rows = answer.get_json(force=True) if answer.status_code == 200 else []
    assert {row["0020000D"]["Value"][0] for row in rows} == listed
    return listed


def reads(app: App, uid: str, ids: dict[str, str]) -> bool:
    """Whether the study can be had, by each way in: they agree."""
    ways = [
        app.get(f"/ImagingStudy/{ids[uid]}"),
        dicomweb(app, f"/studies/{uid}/series"),
        dicomweb(app, f"/studies/{uid}/metadata"),
        dicomweb(app, f"/studies/{uid}/series/{SERIES[uid]}/metadata"),
        dicomweb(app, f"/studies/{uid}", 'multipart/related; type="application/dicom"; transfer-syntax=*'),
        dicomweb(app, f"/studies/{uid}/series/{SERIES[uid]}/thumbnail", "image/jpeg"),
    ]
    statuses = {each.status_code for each in ways}
    assert statuses in ({200}, {404}), [each.status_code for each in ways]
    return statuses == {200}


def dicomweb(app: App, path: str, accept: str | None = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {app.token}", **({"Accept": accept} if accept else {})}
    return app.client.get(f"/st-elsewhere/dicomweb{path}", headers=headers, base_url=BASE)


def study_ids(app: App) -> dict[str, str]:
    """Our ids of the studies, by their UIDs, for an app from which nothing is kept."""
    found = [each["resource"] for each in app.json("/ImagingStudy?_count=50")["entry"]]
    return {
        each["identifier"][0]["value"].removeprefix("urn:oid:"): each["id"]
        for each in found
        if each["resourceType"] == "ImagingStudy"
    }


@contextmanager
def ward(
    files: SqliteFiles, folder: Path, consent: Literal["none", "read", "write"] = "read", **changed: Any
) -> Iterator[Ward]:
    provider = Hospital.provider

    def asking(self: Hospital, **facts: Any) -> Any:
        return replace(provider(self, **facts), consent=consent)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hospital, "provider", asking)
        with clinic(files, folder, upstreams=LIMITS_HERE, **changed) as running:
            yield Ward(running)
