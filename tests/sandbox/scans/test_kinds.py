"""The scans of people with a history: every kind of object, every transfer syntax, and what each holds."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset

from smartapp.sandbox.scans.cache import default_cache, scans
from smartapp.sandbox.scans.dataset import sop_instance_uid
from smartapp.sandbox.scans.iods import VIEWS
from smartapp.sandbox.scans.pictures import pictures
from smartapp.sandbox.world import Series, Study, build_world

HOSPITAL = build_world().hospital("st-elsewhere")
GRACE, HENRY, INES = (HOSPITAL.person(name) for name in ("grace", "henry", "ines"))
SERIES = [(study, series) for study in GRACE.studies for series in study.series]
BUDGET = 40 * 2**20


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scans(build_world(), default_cache(tmp_path_factory.mktemp("scans"))) / HOSPITAL.id


def read(files: Path, study: Study, series: Series, number: int = 1) -> FileDataset:
    return pydicom.dcmread(files / study.uid / series.uid / f"{sop_instance_uid(series, number)}.dcm")


def of_kind(kind: str) -> Study:
    return next(study for study in GRACE.studies if study.imaging_study_id == f"img-grace-{kind}")


def test_twelve_studies_in_eight_years_of_every_kind_and_in_every_transfer_syntax() -> None:
    years = [int(study.started[:4]) for study in GRACE.studies]
    assert (len(GRACE.studies), years, years[-1] - years[0]) == (12, sorted(years), 8)
    assert {series.modality for _, series in SERIES} == {"CT", "MR", "DX", "US", "PT", "MG", "SR", "DOC"}
    syntaxes = {series.transfer_syntax.removeprefix("1.2.840.10008.1.2") for _, series in SERIES}
    assert syntaxes == {"", ".1", ".1.99", ".5", ".4.50", ".4.70", ".4.80", ".4.90", ".4.201"}


@pytest.mark.parametrize(("study", "series"), SERIES, ids=lambda each: getattr(each, "description", ""))
def test_a_file_is_stored_as_the_world_says_and_holds_what_was_drawn(files: Path, study: Study, series: Series) -> None:
    found = read(files, study, series)
    assert found.file_meta.TransferSyntaxUID == series.transfer_syntax
    assert (found.Modality, found.SOPClassUID) == (series.modality, found.file_meta.MediaStorageSOPClassUID)
    drawn = next(each for each in pictures(study) if (each.series, each.number) == (series, 1)).pixels
    if drawn is None:
        assert "PixelData" not in found
        return
    decoded = found.pixel_array
    if series.transfer_syntax.endswith(".4.50"):
        assert np.abs(decoded.astype(int) - drawn.astype(int)).mean() < 6
        return
    if found.PhotometricInterpretation == "MONOCHROME1":
        decoded = 4095 - decoded
    assert np.array_equal(decoded, drawn)


def test_all_that_was_added_stays_small(files: Path) -> None:
    added = [
        path for person in (GRACE, HENRY, INES) for study in person.studies for path in (files / study.uid).rglob("*")
    ]
    assert sum(path.stat().st_size for path in added if path.is_file()) < BUDGET


@pytest.mark.clause("PS3.3", "C.7.6.5")
@pytest.mark.parametrize(("kind", "frames", "samples"), [("us-heart", 12, 3), ("us-thyroid", 20, 1)])
def test_an_ultrasound_is_a_clip(files: Path, kind: str, frames: int, samples: int) -> None:
    study = of_kind(kind)
    found = read(files, study, study.series[0])
    assert (int(found.NumberOfFrames), found.SamplesPerPixel, found.BitsAllocated) == (frames, samples, 8)
    assert found[found.FrameIncrementPointer].keyword == "FrameTime"
    assert float(found.FrameTime) * int(found.CineRate) == 1000
    assert not np.array_equal(found.pixel_array[0], found.pixel_array[frames // 3])


def test_a_mammography_has_four_views(files: Path) -> None:
    study = of_kind("mammography")
    views = [read(files, study, study.series[0], number) for number in range(1, 5)]
    assert tuple((view.ImageLaterality, view.ViewPosition) for view in views) == VIEWS
    for view in views:
        half = view.Columns // 2
        right_edge, left_edge = view.pixel_array[:, half:].sum(), view.pixel_array[:, :half].sum()
        assert (right_edge > left_edge) == (view.ImageLaterality == "R"), "the chest wall is on the patient's side"


def test_pet_and_ct_of_one_study_show_one_body_at_the_same_heights(files: Path) -> None:
    study = of_kind("pet-ct")
    ct, pet = study.series
    for number in range(1, ct.slices + 1):
        both = [read(files, study, series, number) for series in (ct, pet)]
        assert both[0].ImagePositionPatient[2] == both[1].ImagePositionPatient[2]
        assert both[0].FrameOfReferenceUID == both[1].FrameOfReferenceUID
        assert [each.PixelSpacing[0] * each.Columns for each in both] == [400, 400]


@pytest.mark.clause("PS3.3", "A.35.3")
def test_measurements_name_a_picture_of_the_study(files: Path) -> None:
    study = of_kind("ct-measured")
    image, measurements, _ = study.series
    found = read(files, study, measurements)
    (measured,) = [item for item in found.ContentSequence if item.ValueType == "NUM"]
    assert measured.MeasuredValueSequence[0].NumericValue == 5
    (source,) = measured.ContentSequence[0].ReferencedSOPSequence
    assert (files / study.uid / image.uid / f"{source.ReferencedSOPInstanceUID}.dcm").is_file()


def test_a_report_lies_among_the_pictures_as_pdf(files: Path) -> None:
    study = of_kind("ct-measured")
    found = read(files, study, study.series[2])
    assert found.MIMETypeOfEncapsulatedDocument == "application/pdf"
    document = BytesIO(found.EncapsulatedDocument).read(int(found.EncapsulatedDocumentLength))
    assert (document[:5], document.rstrip()[-5:]) == (b"%PDF-", b"%%EOF")


def test_the_archive_was_never_told_of_new_numbers(files: Path) -> None:
    numbers = {study.imaging_study_id: read(files, study, study.series[0]).PatientID for study in INES.studies}
    assert numbers == {
        "img-ines-current": "SE-1007",
        "img-ines-old-number": "OLD-12",
        "img-ines-merged": "SE-0431",
        "img-ines-misfiled": "SE-4040",
        "img-ines-labelled": "SE-1007",
    }
    theirs = {value for person in HOSPITAL.people for _, value in person.identifiers}
    assert "SE-4040" not in theirs, "the number of nobody"


def test_henry_has_five_hundred_studies(files: Path) -> None:
    assert len({study.uid for study in HENRY.studies}) == len({study.accession for study in HENRY.studies}) == 500
    assert all(len(list((files / study.uid).rglob("*.dcm"))) == 1 for study in HENRY.studies)
