"""The drawn scans: the same at every run, right in their numbers, and complete as DICOM objects."""

import zlib
from itertools import islice
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from smartapp.sandbox.scans.cache import default_cache, scans
from smartapp.sandbox.scans.chest import NODULE
from smartapp.sandbox.scans.dataset import Writer, sop_instance_uid
from smartapp.sandbox.scans.pictures import SPACING, THICKNESS, pictures
from smartapp.sandbox.world import Hospital, Person, Series, Study, build_world

HOSPITAL = build_world().hospital("st-elsewhere")
ANA = HOSPITAL.people[0]
CHEST, HEAD, HAND, BRAIN, KNEE = ANA.studies
SOFT, LUNG, BONE = CHEST.series


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scans(build_world(), default_cache(tmp_path_factory.mktemp("scans")))


def read(files: Path, study: Study, series: Series, number: int, hospital: Hospital = HOSPITAL) -> FileDataset:
    return pydicom.dcmread(files / hospital.id / study.uid / series.uid / f"{sop_instance_uid(series, number)}.dcm")


def hounsfield(dataset: FileDataset) -> NDArray[np.float64]:
    return np.asarray(dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept))


def units_at(units: NDArray[np.float64], x: float, y: float, reach: int = 6) -> float:
    """The median around a point in millimetres from the middle of a chest slice: a passing vessel does not count."""
    column, row = (round(v / SPACING["chest"] + 255.5) for v in (x, y))
    return float(np.median(units[row - reach : row + reach + 1, column - reach : column + reach + 1]))


def slice_number(z: float) -> int:
    """The InstanceNumber of the chest slice at this height: 1 is nearest to the head."""
    return SOFT.slices - round(z / THICKNESS["chest"])


@pytest.mark.parametrize("study", [HAND, KNEE], ids=lambda study: study.anatomy)
def test_two_runs_write_the_same_bytes(tmp_path: Path, files: Path, study: Study) -> None:
    for picture in pictures(study):
        path = Writer(HOSPITAL, ANA, study).write(picture, tmp_path)
        assert path.read_bytes() == (files / HOSPITAL.id / study.uid / path.relative_to(tmp_path)).read_bytes()


@pytest.mark.parametrize("study", [CHEST, HEAD, BRAIN], ids=lambda study: study.anatomy)
def test_two_runs_draw_the_same_volume(files: Path, study: Study) -> None:
    for picture in islice(pictures(study), 6):
        stored = read(files, study, picture.series, picture.number)
        assert picture.pixels is not None
        assert np.array_equal(stored.pixel_array, picture.pixels)


@pytest.mark.parametrize(
    ("what", "x", "y", "z", "expected", "tolerance"),
    [
        ("air", -180.0, -180.0, 150.0, -1000, 15),
        ("right lung", -72.0, -50.0, 251.0, -850, 60),
        ("left lung", 72.0, 60.0, 250.0, -850, 60),
        ("fat under the skin", 0.0, -108.0, 150.0, -100, 30),
        ("heart", 25.0, -25.0, 112.0, 45, 25),
        ("liver", -60.0, 0.0, 30.0, 58, 25),
        ("vertebral body", 0.0, 64.0, 140.0, 190, 60),
    ],
)
def test_tissues_have_their_hounsfield_units(
    files: Path, what: str, x: float, y: float, z: float, expected: float, tolerance: float
) -> None:
    found = units_at(hounsfield(read(files, CHEST, SOFT, slice_number(z))), x, y)
    assert found == pytest.approx(expected, abs=tolerance), what


def test_dense_bone_is_between_400_and_1200(files: Path) -> None:
    units = hounsfield(read(files, CHEST, BONE, slice_number(140.0)))
    shell = units[round(64.0 / SPACING["chest"] + 255.5), :]
    assert 400 < float(np.percentile(units, 99.9)) < 1400
    assert (shell > 400).any()


def test_the_nodule_is_where_the_report_says(files: Path) -> None:
    units = hounsfield(read(files, CHEST, LUNG, slice_number(NODULE[2])))
    assert units_at(units, NODULE[0], NODULE[1], 1) > -250
    assert NODULE[0] < 0, "x grows to the patient's left: the right lung has negative x"
    far = hounsfield(read(files, CHEST, LUNG, slice_number(NODULE[2] + 9.0)))
    assert units_at(far, NODULE[0], NODULE[1], 1) < -600


def test_the_three_kernels_show_one_body_differently(files: Path) -> None:
    soft, lung, bone = (hounsfield(read(files, CHEST, series, 100)) for series in CHEST.series)
    corner = np.s_[10:80, 10:80]
    assert soft[corner].std() < lung[corner].std() < bone[corner].std()
    assert abs(soft.mean() - lung.mean()) < 15
    assert abs(soft.mean() - bone.mean()) < 15


def test_slices_do_not_compress_to_nothing(files: Path) -> None:
    for series in CHEST.series:
        pixels = read(files, CHEST, series, 77).PixelData
        assert len(zlib.compress(pixels, 6)) > 0.4 * len(pixels)


def test_slices_are_stacked_in_space(files: Path) -> None:
    first, second, last = (read(files, CHEST, SOFT, number) for number in (1, 2, 200))
    assert first.ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
    assert first.ImagePositionPatient[2] - second.ImagePositionPatient[2] == pytest.approx(1.5)
    assert float(last.SliceLocation) == float(last.ImagePositionPatient[2]) == 0.0
    assert first.FrameOfReferenceUID == read(files, CHEST, LUNG, 5).FrameOfReferenceUID


@pytest.mark.parametrize("study", ANA.studies, ids=lambda study: study.anatomy)
def test_headers_say_whose_and_what(files: Path, study: Study) -> None:
    for series in study.series:
        found = read(files, study, series, 1)
        assert (found.PatientID, found.IssuerOfPatientID) == ("SE-1001", "ST-ELSEWHERE")
        assert str(found.PatientName) == "Rivera^Ana María"
        assert found.StudyInstanceUID == study.uid
        assert found.SeriesInstanceUID == series.uid
        assert found.AccessionNumber == study.accession
        assert found.Modality == series.modality
        assert found.BodyPartExamined == study.body_part
        assert f"{found.StudyDate}{found.StudyTime}" == study.started[:19].translate({ord(c): None for c in "-:T"})
        assert found.file_meta.MediaStorageSOPInstanceUID == found.SOPInstanceUID
        assert (found.Rows, found.Columns) == (series.rows, series.columns) == found.pixel_array.shape


@pytest.mark.clause("PS3.5", "6.1.2.3")
def test_names_come_in_two_character_sets(files: Path) -> None:
    assert read(files, CHEST, SOFT, 1).SpecificCharacterSet == "ISO_IR 100"
    assert read(files, BRAIN, BRAIN.series[0], 1).SpecificCharacterSet == "ISO_IR 192"
    raw = (files / HOSPITAL.id / HAND.uid).rglob("*.dcm")
    assert all("María".encode() in path.read_bytes() for path in raw)


@pytest.mark.clause("PS3.3", "C.8.11.3")
def test_radiographs_come_in_both_photometric_interpretations(files: Path) -> None:
    hand, knee = (read(files, study, study.series[0], 1) for study in (HAND, KNEE))
    assert (hand.PhotometricInterpretation, knee.PhotometricInterpretation) == ("MONOCHROME2", "MONOCHROME1")
    for found in (hand, knee):
        assert (found.BitsStored, int(found.pixel_array.max()) <= 4095) == (12, True)
    assert hand.pixel_array[5, 5] < 700, "air is dark, which is low"
    assert knee.pixel_array[500, 5] > 3000, "air is dark, which is high"


def test_values_follow_their_representations(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    for study in ANA.studies:
        for element in read(files, study, study.series[0], 1).iterall():
            assert element.VM >= 0


def test_every_instance_of_the_world_is_drawn(files: Path) -> None:
    people: list[tuple[Hospital, Person]] = [(h, p) for h in build_world().hospitals for p in h.people]
    wanted = {
        f"{hospital.id}/{study.uid}/{series.uid}/{sop_instance_uid(series, number)}.dcm"
        for hospital, person in people
        for study in person.studies
        for series in study.series
        for number in range(1, series.slices + 1)
    }
    assert {path.relative_to(files).as_posix() for path in files.rglob("*.dcm")} == wanted
