"""What dciodvfy, a judge of DICOM objects that shares no code with us, says of the drawn files."""

from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from smartapp.sandbox.scans.cache import default_cache, scans
from smartapp.sandbox.scans.dataset import sop_instance_uid
from smartapp.sandbox.world import Series, Study, build_world
from tests.sandbox.scans.judge import judge, verdict

__all__ = ["judge"]

_OF_VIEW = " - attribute <ViewCodeSequence>"
ACCEPTED = {
    # Real scanners write both; the judge's list of terms is shorter than the standard leaves open.
    "Warning - Unrecognized defined term <M> for value 3 of attribute <Image Type>",
    "Warning - Unrecognized defined term <CC> for value 1 of attribute <View Position>",
    "Warning - Unrecognized defined term <MLO> for value 1 of attribute <View Position>",
    # Type 3 in a module whose codes we leave out; View Position says it.
    "Warning - ViewCodeSequence is empty or absent, but view is known since ViewPosition has a value" + _OF_VIEW,
}
PEOPLE = [(hospital, person) for hospital in build_world().hospitals for person in hospital.people]
KINDS: dict[tuple[str, str, str, int], tuple[str, Study, Series]] = {
    (series.modality, study.anatomy, series.transfer_syntax, number): (hospital.id, study, series)
    for hospital, person in PEOPLE
    for study in person.studies
    for series in study.series
    for number in range(1, min(series.slices, 4) + 1)
}


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scans(build_world(), default_cache(tmp_path_factory.mktemp("scans")))


def inflated(path: Path) -> bytes:
    """The file; a deflated one as Explicit VR Little Endian, since the judge does not inflate."""
    found = pydicom.dcmread(path)
    if not found.file_meta.TransferSyntaxUID.is_deflated:
        return path.read_bytes()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = BytesIO()
    found.save_as(out, enforce_file_format=True)
    return out.getvalue()


@pytest.mark.parametrize("kind", sorted(KINDS), ids="{0[0]}-{0[1]}-{0[2]}-{0[3]}".format)
def test_the_judge_finds_nothing_but_what_is_accepted(
    judge: Path, files: Path, tmp_path: Path, kind: tuple[str, str, str, int]
) -> None:
    hospital, study, series = KINDS[kind]
    path = files / hospital / study.uid / series.uid / f"{sop_instance_uid(series, kind[3])}.dcm"
    assert set(verdict(judge, inflated(path), tmp_path)) <= ACCEPTED


def test_the_judge_sees_faults(judge: Path, files: Path, tmp_path: Path) -> None:
    hospital, study, series = next(iter(KINDS.values()))
    found = pydicom.dcmread(files / hospital / study.uid / series.uid / f"{sop_instance_uid(series, 1)}.dcm")
    del found.SeriesNumber
    out = BytesIO()
    found.save_as(out)
    assert any("SeriesNumber" in line for line in verdict(judge, out.getvalue(), tmp_path))
