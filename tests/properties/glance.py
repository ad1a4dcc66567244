"""What the answers that are asked for after every change tell of the record: the reference says what they have to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.gateway.app import MULTIPART
from tests.properties.grant import Allowed
from tests.properties.hospital import Wing
from tests.properties.scans import Scan
from tests.properties.surface import DICOM, FHIR, Answer, Probe, Surface


@dataclass
class Glance:
    """`answers` hold those of `surface.CORE`. It asks for nothing."""

    surface: Surface
    wing: Wing
    allowed: Allowed
    answers: Mapping[Probe, Answer]

    def check(self) -> None:
        visible = [scan for scan in self.wing.scans.values() if self.allowed.study(scan)]
        listed = {each["identifier"][0]["value"] for each in self._matches("ImagingStudy")}
        assert listed == {f"urn:oid:{self.surface.shown(scan.uid)}" for scan in visible}
        rows = {row["0020000D"]["Value"][0] for row in self._rows(Probe(f"{DICOM}/studies"))}
        assert rows == {self.surface.shown(scan.uid) for scan in visible if scan.archived}
        for scan in self.wing.scans.values():
            self._study(scan, there=scan in visible and scan.archived)
        if self.allowed.terms.get("reports", True) and self.allowed.scope.categories:
            found = {each["id"] for each in self._matches("DiagnosticReport?_include=DiagnosticReport:performer")}
            assert found == {id_ for id_ in self.wing.findings if self.allowed.finding(id_)}

    def _study(self, scan: Scan, *, there: bool) -> None:
        places = {(row["0020000E"]["Value"][0], row["00080018"]["Value"][0])
                  for row in self._rows(Probe(f"{DICOM}/studies/{{0}}/instances", (scan.uid,)))}  # fmt: skip
        shown = self.surface.shown
        expected = {
            (shown(each.uid), shown(sop)) for each in self.allowed.series(scan) for sop in self.allowed.sops(each)
        }
        assert places == (expected if there else set()), scan
        if self.allowed.terms.get("images") != "none":
            status = 404 if not there else 200 if self.allowed.whole(scan) else 403
            assert self.answers[Probe(f"{DICOM}/studies/{{0}}", (scan.uid,), MULTIPART)][0] == status, scan

    def _matches(self, search: str) -> list[dict[str, Any]]:
        status, _, body = self.answers[Probe(f"{FHIR}/{search}")]
        assert status == 200, body
        page = json.loads(body)
        found = [each["resource"] for each in page.get("entry", []) if each["search"]["mode"] == "match"]
        assert page["total"] == len(found)
        return found

    def _rows(self, probe: Probe) -> list[dict[str, Any]]:
        status, _, body = self.answers[probe]
        return list(json.loads(body)) if status == 200 else []
