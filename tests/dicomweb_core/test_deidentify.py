"""De-identified files and metadata: nothing of the person is left, and what is left is a valid image."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
)

from smartapp.consent.aliases import alias
from smartapp.dicomweb.core.deidentify.files import deidentified
from smartapp.dicomweb.core.deidentify.pictures import is_showable
from smartapp.dicomweb.core.deidentify.rows import metadata_row, row_is_showable
from smartapp.dicomweb.core.deidentify.rules import Needs, Treatment, needs_of, treatment
from smartapp.dicomweb.core.deidentify.streams import INFLATED
from smartapp.dicomweb.core.walker import read_identity
from smartapp.errors import Unrenderable, UpstreamMalformed
from tests.dicomweb_core.samples import CT, SERIES, SOP, STUDY, SYNTAXES, ct, nested, part10
from tests.support.parts import require

ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
PET = "1.2.840.10008.5.1.4.1.1.128"
SC = "1.2.840.10008.5.1.4.1.1.7"
MARK = "Canary"
ORIGINAL: dict[str, Any] = {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}


def uids(uid: str) -> str:
    return alias("one grant", uid)


def cut(raw: bytes, size: int = 97) -> Iterator[bytes]:
    return (raw[at : at + size] for at in range(0, len(raw), size))


def treated(raw: bytes, size: int = 97) -> bytes:
    return b"".join(deidentified(cut(raw, size), uids)[1])


def read(raw: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(raw))


def table_tags() -> list[tuple[int, str]]:
    """Every row of the table that the dictionary knows, a tag of each masked row, and the VR to write."""
    from dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c import ALL_TAGS

    tags = {row[0] << 16 | row[1] for row in ALL_TAGS if len(row) == 2} | {0x50020110, 0x60023000, 0x60024000}
    data_set = sorted(tag for tag in tags if tag >> 16 >= 8)
    return [(tag, dictionary_VR(tag)[:2] if dictionary_has_tag(tag) else "LO") for tag in data_set]


def canary(vr: str, number: int) -> Any:
    """A value of this VR by which it is recognised."""
    if vr == "SQ":
        item = Dataset()
        item.add_new(0x00080104, "LO", f"{MARK}{number}")
        item.add_new(0x00100010, "PN", f"{MARK}^{number}")
        return Sequence([item])
    known = {
        "UI": f"1.2.3.777.{number}", "DA": "19991231", "DT": "19991231235958", "TM": "235958", "AS": "077Y",
        "IS": "987654", "DS": "98765.4", "US": 51966, "UL": 3735928559, "SS": -12345, "FD": 98765.4, "FL": 98765.4,
        "UR": f"urn:{MARK}", "AE": MARK, "CS": MARK.upper(), "SH": MARK, "OB": MARK.encode(),
        "OW": MARK.encode(), "UN": MARK.encode(),
    }  # fmt: skip
    return known.get(vr, f"{MARK} {number}")


def everything(sop_class: str = CT) -> Dataset:
    """An image with every attribute of the table."""
    data = ct(SOPClassUID=sop_class, **ORIGINAL)
    for number, (tag, vr) in enumerate(table_tags()):
        if tag not in {0x00080018, 0x0020000D, 0x0020000E}:
            data.add_new(tag, vr, canary(vr, number))
    return data


KEPT_OF_TABLE = {0x00081140, 0x00082112}
CANARIES = (MARK.encode(), MARK.upper().encode(), b"1.2.3.777", b"19991231", b"235958", b"077Y", b"987654", b"98765.4")


@pytest.mark.clause("PS3.15", "E.1", "E.1-1")
@pytest.mark.parametrize("sop_class", [CT, ENHANCED_CT, PET])
@pytest.mark.parametrize("syntax", ["implicit", "explicit", "big-endian"])
def test_nothing_of_any_row_of_the_table_is_left(sop_class: str, syntax: str) -> None:
    data = everything(sop_class)
    for tag in KEPT_OF_TABLE:
        del data[tag]
    raw = part10(data, SYNTAXES[syntax])
    assert all(mark in raw for mark in CANARIES), "the input holds all that is looked for"
    out = treated(raw)
    assert [mark for mark in CANARIES if mark in out] == []
    assert (0xDEADBEEF).to_bytes(4, "little") not in out


@pytest.mark.clause("PS3.15", "E.1-1")
def test_each_row_of_the_table_does_what_it_says() -> None:
    """By the table's own letters, read from the library and not from our choices."""
    from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table

    allowed = {
        "X_TAGS": {Treatment.REMOVE},
        "Z_TAGS": {Treatment.EMPTY},
        "D_TAGS": {Treatment.DUMMY, Treatment.MAP},
        "U_TAGS": {Treatment.MAP},
        "Z_D_TAGS": {Treatment.EMPTY, Treatment.DUMMY},
        "X_Z_TAGS": {Treatment.REMOVE, Treatment.EMPTY},
        "X_D_TAGS": {Treatment.REMOVE, Treatment.DUMMY},
        "X_Z_D_TAGS": {Treatment.REMOVE, Treatment.EMPTY, Treatment.DUMMY},
        "X_Z_U_STAR_TAGS": {Treatment.REMOVE, Treatment.EMPTY, Treatment.KEEP},
    }
    for name, may in allowed.items():
        for row in getattr(table, name):
            if len(row) == 2 and row[0] >= 8:
                for needs in Needs:
                    assert treatment(row[0] << 16 | row[1], needs) in may, (name, row, needs)


@pytest.mark.clause("PS3.15", "E.1.1")
def test_what_is_left_says_what_it_is() -> None:
    out = read(treated(part10(everything())))
    assert out.PatientIdentityRemoved == "YES"
    assert out.DeidentificationMethod
    assert [code.CodeValue for code in out.DeidentificationMethodCodeSequence] == ["113100"]
    assert out.LongitudinalTemporalInformationModified == "REMOVED"
    assert (out.PatientName, out.PatientID, out.StudyDate, out.AccessionNumber) == ("", "", "", "")
    for gone in ("PatientAge", "SeriesDescription", "StudyDescription", "InstitutionName", "IssuerOfPatientID"):
        assert gone not in out


def test_the_image_stays_the_image() -> None:
    pixels = np.arange(256, dtype=np.int16).reshape(16, 16)
    raw = part10(ct(pixels, RescaleSlope=1, WindowCenter=40, **ORIGINAL))
    out = read(treated(raw))
    assert np.array_equal(out.pixel_array, pixels)
    assert (out.Rows, out.RescaleSlope, out.WindowCenter, out.Modality) == (16, 1, 40, "CT")


@pytest.mark.parametrize("size", [1, 7, 4096, 10**9])
def test_it_does_not_matter_how_the_bytes_come(size: int) -> None:
    raw = part10(everything())
    assert treated(raw, size) == treated(raw)


@pytest.mark.clause("PS3.15", "E.1")
def test_private_elements_curves_overlays_and_unknown_ones_are_gone() -> None:
    data = ct(**ORIGINAL)
    block = data.private_block(0x0009, "MAKER", create=True)
    block.add_new(1, "LO", MARK)
    data.add_new(0x60000010, "US", 16)
    data.add_new(0x60003000, "OW", MARK.encode())
    data.add_new(0x50000005, "US", 1)
    data.add_new(0x00185555, "LO", MARK)  # no such attribute
    data.add_new(0x04000500, "SQ", canary("SQ", 1))
    data.add_new(0x00081190, "UR", f"https://pacs/{MARK}")
    out = read(treated(part10(data)))
    assert MARK.encode() not in treated(part10(data))
    assert not [element.tag for element in out if element.tag.group % 2 or element.tag.group in {0x5000, 0x6000}]


def test_sequences_are_treated_item_by_item_at_any_depth() -> None:
    inner = Dataset()
    inner.PatientName = MARK
    inner.CodeValue = "kept"
    inner.ReferencedSOPInstanceUID = "1.2.3.777.5"
    block = inner.private_block(0x0011, "MAKER", create=True)
    block.add_new(1, "LO", MARK)
    for _ in range(20):
        outer = Dataset()
        outer.PurposeOfReferenceCodeSequence = Sequence([inner, inner])
        outer["PurposeOfReferenceCodeSequence"].is_undefined_length = True
        outer.OperatorsName = MARK
        inner = outer if _ < 3 else inner
    raw = part10(ct(ReferencedImageSequence=Sequence([inner]), **ORIGINAL))
    out = treated(raw)
    assert raw.count(MARK.encode()) > 8
    assert MARK.encode() not in out
    assert b"1.2.3.777" not in out
    assert out.count(b"kept") == 8
    assert uids("1.2.3.777.5").encode() in out


def test_a_sequence_that_is_written_as_unknown_is_looked_into() -> None:
    """PS3.5 §6.2.2: an UN holds Implicit VR inside, and hides what is in it from those who do not look."""
    data = ct(**ORIGINAL)
    item = b"\x10\x00\x10\x00" + (6).to_bytes(4, "little") + MARK.encode()
    item += b"\x08\x00\x00\x01" + (4).to_bytes(4, "little") + b"kept"
    value = b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item
    data.add_new(0x00091140, "UN", value)
    raw = part10(data).replace(b"\x09\x00\x40\x11UN", b"\x08\x00\x40\x11UN")
    out = treated(raw)
    assert MARK.encode() in raw
    assert MARK.encode() not in out
    assert b"kept" in out


def test_a_sequence_under_a_false_flag_is_left_out() -> None:
    data = ct(**ORIGINAL)
    data.add_new(0x00091140, "OB", MARK.encode())
    assert MARK.encode() not in treated(part10(data).replace(b"\x09\x00\x40\x11OB", b"\x08\x00\x40\x11OB"))


@pytest.mark.clause("PS3.15", "E.1")
def test_uids_are_one_to_one_within_a_grant_and_others_in_another() -> None:
    one, two = (
        part10(ct(FrameOfReferenceUID="1.2.9", **ORIGINAL)),
        part10(ct(SOPInstanceUID=f"{SOP}.2", FrameOfReferenceUID="1.2.9", **ORIGINAL)),
    )
    a, b = read(treated(one)), read(treated(two))
    assert (a.StudyInstanceUID, a.SeriesInstanceUID) == (uids(STUDY), uids(SERIES))
    assert (a.StudyInstanceUID, a.FrameOfReferenceUID) == (b.StudyInstanceUID, b.FrameOfReferenceUID)
    assert a.SOPInstanceUID == a.file_meta.MediaStorageSOPInstanceUID != b.SOPInstanceUID
    assert a.SOPClassUID == CT
    other = b"".join(deidentified(iter([one]), lambda uid: alias("another grant", uid))[1])
    assert read(other).StudyInstanceUID not in {STUDY, uids(STUDY)}
    assert STUDY.encode() not in treated(one)


@pytest.mark.threat("D9")
def test_preamble_and_file_meta_are_ours() -> None:
    data = ct(**ORIGINAL)
    raw = part10(data, preamble=b"MZ" + b"x" * 126)
    out = treated(raw)
    assert out[:132] == bytes(128) + b"DICM"
    meta = read(out).file_meta
    assert str(meta.ImplementationClassUID).startswith("2.25.")
    assert "SourceApplicationEntityTitle" not in meta
    identity, _ = read_identity(iter([out]))
    assert (identity.study, identity.series, identity.patient_id) == (uids(STUDY), uids(SERIES), "")


def test_compressed_pixels_pass_untouched() -> None:
    data = ct(**ORIGINAL)
    frames = [b"\xff\x4f" + bytes(range(254)), b"\xff\x4f" + bytes(100)]
    data.PixelData = encapsulate(frames)
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    data.NumberOfFrames = 2
    data.add_new(0xFFFCFFFC, "OB", MARK.encode())
    raw = part10(data, JPEG2000Lossless)
    syntax, chunks = deidentified(cut(raw), uids)
    out = read(b"".join(chunks))
    assert syntax == out.file_meta.TransferSyntaxUID == JPEG2000Lossless
    assert out.PixelData == data.PixelData
    assert 0xFFFCFFFC not in out


def test_a_deflated_object_is_inflated_as_it_passes() -> None:
    data = everything()
    for tag in KEPT_OF_TABLE:
        del data[tag]
    syntax, chunks = deidentified(cut(part10(data, DeflatedExplicitVRLittleEndian)), uids)
    out = b"".join(chunks)
    assert syntax == read(out).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert MARK.encode() not in out
    assert read(out).pixel_array.shape == (16, 16)


@pytest.mark.threat("D4")
def test_a_deflate_bomb_is_cut() -> None:
    raw = part10(ct(**ORIGINAL), DeflatedExplicitVRLittleEndian)
    at = raw.index(b"UI", 140)
    meta_end = 132 + 12 + int.from_bytes(raw[140:144], "little")
    assert at < meta_end
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = part10(ct(**ORIGINAL))
    start = 132 + 12 + int.from_bytes(head[140:144], "little")
    body = head[start : head.index(b"\xe0\x7f\x10\x00OW")] + b"\xe0\x7f\x10\x00OW\0\0" + (2**31).to_bytes(4, "little")
    bomb = raw[:meta_end] + deflate.compress(body)
    bomb += b"".join(deflate.compress(bytes(2**20)) for _ in range(INFLATED // 2**20 + 1)) + deflate.flush()
    assert len(bomb) < 2**20
    with pytest.raises(UpstreamMalformed, match="dicom-bomb"):
        for _ in deidentified(cut(bomb, 65536), uids)[1]:
            pass


@pytest.mark.threat("D8")
@pytest.mark.parametrize("undefined", [True, False])
def test_endless_nesting_is_refused(*, undefined: bool) -> None:
    with pytest.raises(UpstreamMalformed, match="dicom-depth"):
        treated(part10(ct(ReferencedImageSequence=nested(70, undefined=undefined), **ORIGINAL)))


@given(st.data())
def test_a_broken_object_is_refused_and_never_more_than_that(data: st.DataObject) -> None:
    raw = bytearray(part10(everything()))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(132, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with suppress(UpstreamMalformed, Unrenderable):
        treated(bytes(raw[: data.draw(st.integers(0, len(raw)))]), 1000)


SHOWABLE = [
    (CT, "", ["ORIGINAL", "PRIMARY"], True),
    (CT, "", ["DERIVED", "PRIMARY", "AXIAL"], True),
    (CT, "", ["DERIVED", "SECONDARY"], False),
    (CT, "", ["ORIGINAL"], False),
    (CT, "", [], False),
    (CT, "YES", ["ORIGINAL", "PRIMARY"], False),
    (CT, "NOT", ["ORIGINAL", "PRIMARY"], False),
    (CT, "UNKNOWN", ["ORIGINAL", "PRIMARY"], False),
    (SC, "", ["ORIGINAL", "PRIMARY"], False),
    (SC, "NO", ["DERIVED", "SECONDARY"], True),
    ("1.2.840.10008.5.1.4.1.1.6.1", "", ["ORIGINAL", "PRIMARY"], False),  # ultrasound
    ("1.2.840.10008.5.1.4.1.1.6.1", "NO", ["ORIGINAL", "PRIMARY"], True),
    ("1.2.840.10008.5.1.4.1.1.4", "", ["ORIGINAL", "PRIMARY", "M"], True),
    (PET, "", ["ORIGINAL", "PRIMARY"], True),
    ("1.2.840.10008.5.1.4.1.1.88.11", "NO", [], False),  # a report
    ("1.2.840.10008.5.1.4.1.1.104.1", "NO", [], False),  # a PDF
    ("1.2.840.10008.5.1.4.1.1.11.1", "NO", [], False),  # a presentation state
    ("1.2.840.10008.5.1.4.1.1.88.59", "NO", [], False),  # key objects
    ("1.2.840.10008.5.1.4.1.1.67", "NO", [], False),  # a real world value mapping
    ("1.2.840.10008.5.1.4.1.1.66.4", "NO", [], False),  # a segmentation
    ("1.2.840.10008.1.2.1", "NO", [], False),
    ("1.2.3.4", "NO", ["ORIGINAL", "PRIMARY"], False),
]


@pytest.mark.parametrize(("sop_class", "burned_in", "image_type", "shown"), SHOWABLE)
def test_what_may_be_shown_at_all(sop_class: str, burned_in: str, image_type: list[str], *, shown: bool) -> None:
    assert is_showable(sop_class, burned_in, image_type) is shown
    data = ct(SOPClassUID=sop_class)
    if burned_in:
        data.BurnedInAnnotation = burned_in
    if image_type:
        data.ImageType = image_type
    assert row_is_showable(data.to_json_dict()) is shown
    if shown:
        assert treated(part10(data))
    else:
        with pytest.raises(Unrenderable):
            treated(part10(data))


@pytest.mark.parametrize("sop_class", [CT, ENHANCED_CT, PET])
def test_metadata_say_what_the_file_says(sop_class: str) -> None:
    """Element by element: what is there, what is empty, what has which value."""
    data = everything(sop_class)
    raw = part10(data)
    from_json = metadata_row(data.to_json_dict(bulk_data_threshold=10**9), uids)
    assert MARK not in json.dumps({tag: v for tag, v in from_json.items() if int(tag, 16) not in KEPT_OF_TABLE})
    from_file = read(treated(raw)).to_json_dict(bulk_data_threshold=10**9)
    assert from_json.keys() == from_file.keys()
    for tag, element in from_file.items():
        assert from_json[tag] == {name: value for name, value in element.items() if value != []}, tag


def faults(raw: bytes, folder: Path) -> set[str]:
    """What dciodvfy says is wrong with an object."""
    file = folder / "object.dcm"
    file.write_bytes(raw)
    program = Path(sys.executable).with_name("dciodvfy")
    path = require("dciodvfy (dicom3tools)", program if program.exists() else None)
    ran = subprocess.run([path, "-new", str(file)], capture_output=True, text=True, check=False, timeout=60)
    return {line for line in (ran.stdout + ran.stderr).splitlines() if line.startswith("Error")}


@pytest.mark.clause("PS3.15", "E.1-1")
@pytest.mark.parametrize("which", ["implicit", "explicit"])
def test_a_strangers_checker_finds_no_new_fault(tmp_path: Path, which: str) -> None:
    raw = part10(ct(PatientBirthDate="19700101", InstanceNumber="1", **ORIGINAL), SYNTAXES[which])
    new = faults(treated(raw), tmp_path) - faults(raw, tmp_path)
    assert new == set()


def test_the_needs_of_each_kind() -> None:
    assert (needs_of(CT), needs_of(ENHANCED_CT), needs_of(PET)) == (Needs.PLAIN, Needs.ENHANCED, Needs.PET)
    assert treatment(0x00080021, Needs.PET) is Treatment.DUMMY
    assert treatment(0x00080021, Needs.PLAIN) is Treatment.REMOVE
    assert treatment(0x00181000, Needs.ENHANCED) is Treatment.DUMMY
    assert treatment(0x00081070, Needs.RT) is Treatment.EMPTY
