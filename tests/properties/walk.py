"""What is listed can be read and nothing else, in FHIR and in DICOMweb, and both list the same (property 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.gateway.app import MULTIPART
from tests.properties.grant import Allowed
from tests.properties.hospital import Wing
from tests.properties.scans import Scan
from tests.properties.surface import DICOM, FHIR, FINDINGS, STUDIES, Probe, Surface, retrievals

OID = "urn:oid:"


@dataclass
class Walk:
    """One look at everything, of a world that stands still."""

    surface: Surface
    wing: Wing
    allowed: Allowed

    def check(self) -> None:
        self._studies()
        if "patient/*" in self.allowed.scope.text or "patient/Patient." in self.allowed.scope.text:
            self._person()
        if "DiagnosticReport" in self.allowed.scope.text or self.allowed.scope.text == "patient/*.rs":
            self._reports()

    def _studies(self) -> None:
        listed = {found["identifier"][0]["value"].removeprefix(OID): found for found in self._listed("ImagingStudy")}
        rows = {row["0020000D"]["Value"][0]: row for row in self.surface.rows("/studies")}
        paged = [row["0020000D"]["Value"][0] for n in range(len(rows) + 1)
                 for row in self.surface.rows(f"/studies?limit=1&offset={n}")]  # fmt: skip
        assert paged == list(rows)
        assert {uid for uid, found in listed.items() if found["status"] == "available"} == rows.keys()
        reached = {self.surface.shown(scan.uid): scan for scan in self.wing.scans.values() if self.allowed.study(scan)}
        assert listed.keys() == reached.keys()
        self._searched(listed, rows)
        for uid in STUDIES:
            status = self.surface.status(f"{FHIR}/ImagingStudy/{{id}}", uid)
            assert status == (200 if self.surface.shown(uid) in listed else 404), uid
            if self.surface.shown(uid) in rows:
                shown = self.surface.shown(uid)
                self._study(self.wing.scans[uid], listed[shown], rows[shown])
            else:
                self._nothing(uid)

    def _searched(self, listed: dict[str, Any], rows: dict[str, Any]) -> None:
        """A study is found by what is shown of it, and by nothing that is not."""
        for modality in ("CT", "MR", "PT", "SR"):
            found = self.surface.resources(f"/ImagingStudy?modality={modality}")
            told = {
                uid for uid, each in listed.items() if modality in {one["code"] for one in each.get("modality", ())}
            }
            assert {each["identifier"][0]["value"].removeprefix(OID) for each in found} == told, modality
            matched = {
                row["0020000D"]["Value"][0] for row in self.surface.rows(f"/studies?ModalitiesInStudy={modality}")
            }
            assert matched == {uid for uid, row in rows.items() if modality in row["00080061"].get("Value", ())}, (
                modality
            )

    def _person(self) -> None:
        kept = not self.allowed.person
        assert [each["id"] for each in self.surface.resources("/Patient")] == ([] if kept else ["ana"])
        assert self.surface.status(f"{FHIR}/Patient/ana") == (404 if kept else 200)

    def _listed(self, type_: str) -> list[dict[str, Any]]:
        """All of a type; each reads as it was listed."""
        found = self.surface.resources(f"/{type_}?_count=2")
        for each in found:
            assert self.surface.app.json(f"/{type_}/{each['id']}") == each
        return found

    def _study(self, scan: Scan, told: dict[str, Any], row: dict[str, Any]) -> None:
        surface, uid = self.surface, scan.uid
        series = surface.rows("/studies/{0}/series", uid)
        instances = surface.rows("/studies/{0}/instances", uid)
        by_series = {each["0020000E"]["Value"][0]: each["00201209"]["Value"][0] for each in series}
        shown = {surface.shown(each.uid): each for each in self.allowed.shown(scan)}
        assert by_series.keys() == shown.keys()
        assert {each["uid"]: each["numberOfInstances"] for each in told.get("series", [])} == by_series
        assert (told["numberOfSeries"], told["numberOfInstances"]) == (len(series), len(instances))
        assert row["00201206"]["Value"] == [len(series)]
        assert row["00201208"]["Value"] == [len(instances)]
        kinds = {each["00080060"]["Value"][0] for each in series}
        assert _kinds(told) == set(row["00080061"].get("Value", ())) == kinds
        places = {(each["0020000E"]["Value"][0], each["00080018"]["Value"][0]) for each in instances}
        for each in scan.series:
            listed = {sop for sop in each.sops if (surface.shown(each.uid), surface.shown(sop)) in places}
            assert listed == (set(self.allowed.sops(each)) if surface.shown(each.uid) in shown else set())
            self._series(scan, each.uid, each.sops, listed)
        whole = 403 if self._no_images or not self.allowed.whole(scan) else 200
        assert surface.status(f"{DICOM}/studies/{{0}}", uid, accept=MULTIPART) == whole
        metadata = surface.get(Probe(f"{DICOM}/studies/{{0}}/metadata", (uid,)))
        assert metadata.status_code == (403 if self._no_images else 200)
        if not self._no_images:
            named = {
                (row["0020000E"]["Value"][0], row["00080018"]["Value"][0]) for row in metadata.get_json(force=True)
            }
            assert named == places
            assert ("Warning" in metadata.headers) is not self.allowed.whole(scan)

    @property
    def _no_images(self) -> bool:
        return self.allowed.terms.get("images") == "none"

    def _series(self, scan: Scan, series: str, sops: tuple[str, ...], listed: set[str]) -> None:
        surface, at = self.surface, f"{DICOM}/studies/{{0}}/series/{{1}}"
        whole = 403 if self._no_images or 0 < len(listed) < len(sops) else 200 if listed else 404
        assert surface.status(at, scan.uid, series, accept=MULTIPART) == whole
        expected = 403 if self._no_images else 200 if listed else 404
        assert surface.status(f"{at}/metadata", scan.uid, series) == expected
        assert surface.status(f"{at}/instances", scan.uid, series) == (200 if listed else 404)
        modality = next(each.modality for each in scan.series if each.uid == series)
        for sop in sops:
            expected = 403 if self._no_images else 200 if sop in listed else 404
            for probe in retrievals(scan.uid, series, sop):
                found = surface.get(probe)
                if modality == "SR" and "image/" in probe.accept and sop in listed:
                    assert found.status_code in {expected, 200, 404, 422}
                else:
                    assert found.status_code == expected, (probe, found.text)

    def _nothing(self, uid: str) -> None:
        """Not listed: as if it were not there, whichever way it is asked for."""
        scan = self.wing.scans.get(uid, Scan(uid, "20260101"))
        for tail in ("/series", "/instances", "/metadata", ""):
            status = self.surface.status(f"{DICOM}/studies/{{0}}{tail}", uid, accept="" if tail else MULTIPART)
            images = tail in {"", "/metadata"}
            assert status == (403 if images and self._no_images else 404), (uid, tail)
        for each in scan.series:
            for probe in retrievals(uid, each.uid, each.sops[0]):
                assert self.surface.get(probe).status_code == (403 if self._no_images else 404), probe

    def _reports(self) -> None:
        if not self.allowed.terms.get("reports", True):
            assert self.surface.status(f"{FHIR}/DiagnosticReport") == 403
            return
        listed = {each["id"]: each for each in self._listed("DiagnosticReport")}
        assert listed.keys() == {id_ for id_ in FINDINGS if self.allowed.finding(id_)}
        for id_ in FINDINGS:
            assert self.surface.status(f"{FHIR}/DiagnosticReport/{id_}") == (200 if id_ in listed else 404), id_
        files = {each["content"][0]["attachment"]["url"] for each in self._listed("DocumentReference")}
        assert files == {form["url"] for each in listed.values() for form in each["presentedForm"]}
        for url in files:
            assert self.surface.status(f"{FHIR}/{url}") == 200
        for each in listed.values():
            for reference in each.get("imagingStudy", []):
                if self.allowed.scope.studies:
                    assert self.surface.status(f"{FHIR}/{reference['reference']}") == 200
        people = {f"Practitioner/{each['id']}" for each in self._listed("Practitioner")}
        assert people == {who["reference"] for each in listed.values() for who in each["performer"]}


def _kinds(study: dict[str, Any]) -> set[str]:
    return {each["code"] for each in study.get("modality", ())}
