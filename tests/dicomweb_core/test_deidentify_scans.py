"""The sandbox's scans of all kinds, de-identified, before dciodvfy: valid objects stay valid ones."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from smartapp.consent.aliases import alias
from smartapp.dicomweb.core.deidentify.files import deidentified
from smartapp.dicomweb.core.deidentify.rows import row_is_showable
from smartapp.errors import Unrenderable
from smartapp.sandbox.scans.dataset import sop_instance_uid
from tests.sandbox.scans.judge import judge, verdict
from tests.sandbox.scans.test_judged import KINDS, files, inflated

__all__ = ["files", "judge"]

_EMPTIED = "needed to build DICOMDIR"
"""The profile empties Patient ID, Study ID, Date and Time (Z), which a DICOMDIR wants: a warning about no object."""


@pytest.mark.clause("PS3.15", "E.1-1")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind)))
def test_no_new_fault(files: Path, judge: Path, tmp_path: Path, kind: tuple[str, str, str, int]) -> None:
    hospital, study, series = KINDS[kind]
    path = files / hospital / study.uid / series.uid / f"{sop_instance_uid(series, kind[3])}.dcm"
    raw = path.read_bytes()
    before = pydicom.dcmread(BytesIO(raw))
    if not row_is_showable(before.to_json_dict()):
        with pytest.raises(Unrenderable):
            deidentified(iter([raw]), lambda uid: alias("grant", uid))
        return
    out = b"".join(deidentified(iter([raw]), lambda uid: alias("grant", uid))[1])
    after = pydicom.dcmread(BytesIO(out))
    assert after.PixelData == before.PixelData
    assert str(before.PatientName).encode() not in out
    assert str(before.PatientID).encode() not in out
    new = set(verdict(judge, out, tmp_path)) - set(verdict(judge, inflated(path), tmp_path))
    assert {line for line in new if _EMPTIED not in line} == set()
