import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from smartapp.dicomweb.core.walker import HELD, Identity, read_identity, read_transfer_syntax
from smartapp.errors import UpstreamMalformed, UpstreamMismatch
from tests.dicomweb_core.samples import CT, SERIES, SOP, STUDY, SYNTAXES, ct, nested, part10

_EXPLICIT = b"1.2.840.10008.1.2.1"

pytestmark = [pytest.mark.clause("PS3.5", "7.1"), pytest.mark.threat("D8")]


def walk(data: bytes, size: int = 2**18) -> Identity:
    return read_identity(data[at : at + size] for at in range(0, len(data), size))[0]


def hand_made(*elements: bytes, meta: bytes = b"", syntax: bytes = _EXPLICIT) -> bytes:
    """An explicit little endian file of these elements, of which `meta` go to the end of the file meta information."""
    meta = (
        element(2, 2, b"UI", CT.encode()) + element(2, 3, b"UI", SOP.encode()) + element(2, 0x10, b"UI", syntax) + meta
    )
    length = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta))
    return bytes(128) + b"DICM" + length + meta + b"".join(elements)


def element(group: int, number: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    value += b"\0" * (len(value) % 2)
    length = len(value) if length is None else length
    if vr in {b"SQ", b"UN", b"OB"}:
        return struct.pack("<HH2sHI", group, number, vr, 0, length) + value
    return struct.pack("<HH2sH", group, number, vr, length) + value


CLASS = element(8, 0x16, b"UI", CT.encode())
INSTANCE = element(8, 0x18, b"UI", SOP.encode())
PATIENT = element(0x10, 0x20, b"LO", b"MRN-1 ")
STUDY_ = element(0x20, 0xD, b"UI", STUDY.encode())
SERIES_ = element(0x20, 0xE, b"UI", SERIES.encode())
ALL = (CLASS, INSTANCE, PATIENT, STUDY_, SERIES_)


@pytest.mark.parametrize("name", SYNTAXES)
@pytest.mark.parametrize("size", [1, 100, 2**18])
@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.clause("PS3.5", "A.5")
def test_the_uncompressed_syntaxes(name: str, size: int, undefined: bool) -> None:  # noqa: FBT001 - parametrised
    data = ct(
        IssuerOfPatientID="St. Elsewhere", ProcedureCodeSequence=nested(4, undefined=undefined), PatientID=" Å-1 "
    )
    data["ProcedureCodeSequence"].is_undefined_length = undefined
    data.add_new(0x00090010, "LO", "PRIVATE")
    data.add_new(0x00091001, "OB", bytes(3000))
    found = walk(part10(data, SYNTAXES[name]), size)
    assert found == Identity("Å-1", "St. Elsewhere", CT, SOP, STUDY, SERIES, SYNTAXES[name], "ISO_IR 192")


@pytest.mark.parametrize(
    "name",
    [
        "JPEG2000",
        "MR_small_RLE",
        "SC_rgb_jpeg_dcmtk",
        "image_dfl",
        "MR_small_implicit",
        "ExplVR_BigEnd",
        "examples_palette",
        "liver_expb_1frame",
        "test-SR",
        "waveform_ecg",
        "693_J2KI",
    ],
)
def test_files_of_others(name: str) -> None:
    path = Path(str(get_testdata_file(f"{name}.dcm")))
    theirs = dcmread(path)
    found = walk(path.read_bytes())
    assert found.patient_id == (theirs.get("PatientID") or "").strip()
    assert (found.study, found.series) == (theirs.StudyInstanceUID, theirs.SeriesInstanceUID)
    assert (found.sop_class, found.sop_instance) == (theirs.SOPClassUID, theirs.SOPInstanceUID)
    assert found.transfer_syntax == theirs.file_meta.TransferSyntaxUID


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("rtdose", UpstreamMismatch),  # its file meta information names another SOP instance
        ("nested_priv_SQ", UpstreamMalformed),  # names no study
        ("JPEGLSNearLossless_16", UpstreamMalformed),  # likewise
        ("no_meta", UpstreamMalformed),
    ],
)
def test_files_of_others_that_say_no_identity(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        walk(Path(str(get_testdata_file(f"{name}.dcm"))).read_bytes())


@pytest.mark.parametrize("name", SYNTAXES)
def test_no_cut_point_gives_a_wrong_identity(name: str) -> None:
    raw = part10(ct(ReferencedStudySequence=nested(2, undefined=True)), SYNTAXES[name])
    whole = walk(raw)
    cut = 0
    for end in range(len(raw)):
        try:
            assert walk(raw[:end]) == whole
        except UpstreamMalformed:
            cut += 1
    assert cut > 500


@given(st.binary(max_size=400), st.integers(0, 3), st.integers(0, 500), st.integers(1, 50))
def test_garbage_is_malformed(garbage: bytes, which: int, at: int, size: int) -> None:
    raw = bytearray(part10(ct(ReferencedStudySequence=nested(2, undefined=True)), list(SYNTAXES.values())[which]))
    raw[128 + at : 128 + at + len(garbage)] = garbage
    try:
        found = walk(bytes(raw), size)
    except (UpstreamMalformed, UpstreamMismatch):
        return
    assert found.study.replace(".", "").isdigit()


@given(st.binary(max_size=300))
def test_any_data_set_is_malformed_or_read(garbage: bytes) -> None:
    with pytest.raises((UpstreamMalformed, UpstreamMismatch)):
        walk(hand_made(garbage))


def test_hand_made_is_read() -> None:
    assert walk(hand_made(*ALL)) == Identity("MRN-1", "", CT, SOP, STUDY, SERIES, _EXPLICIT.decode(), "")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(hand_made(CLASS, INSTANCE, PATIENT, PATIENT, STUDY_, SERIES_), id="twice"),
        pytest.param(hand_made(CLASS, INSTANCE, STUDY_, PATIENT, SERIES_), id="out of order"),
        pytest.param(hand_made(PATIENT, *ALL), id="patient first"),
        pytest.param(hand_made(INSTANCE, PATIENT, STUDY_, SERIES_), id="no class"),
        pytest.param(hand_made(CLASS, INSTANCE, PATIENT, SERIES_), id="no study"),
        pytest.param(hand_made(CLASS, INSTANCE, PATIENT, STUDY_, element(0x28, 0x10, b"US", b"\1\0")), id="no series"),
        pytest.param(hand_made(*ALL, meta=element(2, 0x10, b"UI", b"1.2")), id="two syntaxes"),
        pytest.param(hand_made(*ALL, meta=element(8, 0x16, b"UI", b"1.2")), id="data set in meta"),
        pytest.param(hand_made(element(2, 3, b"UI", b"1.2"), *ALL), id="meta in data set"),
        pytest.param(hand_made(CLASS, INSTANCE, element(0x10, 0x20, b"LO", b"A\\B"), STUDY_, SERIES_), id="two ids"),
        pytest.param(hand_made(CLASS, INSTANCE, element(0x10, 0x20, b"LO", b"A\x1b(B"), STUDY_, SERIES_), id="escape"),
        pytest.param(hand_made(CLASS, INSTANCE, element(0x10, 0x20, b"LO", b"\xe9"), STUDY_, SERIES_), id="charset"),
        pytest.param(hand_made(CLASS, INSTANCE, element(0x10, 0x20, b"UN", b"MRN-1"), STUDY_, SERIES_), id="VR"),
        pytest.param(hand_made(CLASS, INSTANCE, element(0x10, 0x20, b"??", b"MRN-1"), STUDY_, SERIES_), id="no VR"),
        pytest.param(hand_made(*ALL[:-1], element(0x20, 0xE, b"UI", b"1.2\x003")), id="NUL in UID"),
        pytest.param(hand_made(*ALL[:-1], element(0x20, 0xE, b"UI", b"1" * 65)), id="long UID"),
        pytest.param(hand_made(*ALL[:-1], element(0x20, 0xE, b"UI", b"../1")), id="path"),
        pytest.param(hand_made(*ALL[:-1], element(0x20, 0xE, b"UI", b"1.2\\1.3")), id="two UIDs"),
        pytest.param(hand_made(element(8, 6, b"OB", b"", 0xFFFFFFFF), *ALL), id="OB of undefined length"),
        pytest.param(bytes(128) + b"DICN", id="no DICM"),
        pytest.param(b"DICM" + bytes(500), id="no preamble"),
    ],
)
def test_what_readers_would_take_differently_is_refused(raw: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        walk(raw)


def test_a_group_length_that_lies_is_refused() -> None:
    raw = hand_made(*ALL)
    for lie in (0, 8, 90, 200, 2**32 - 1):
        lying = raw[:140] + struct.pack("<I", lie) + raw[144:]
        with pytest.raises(UpstreamMalformed):
            walk(lying)


def test_file_meta_and_data_set_must_name_the_same_instance() -> None:
    other = element(8, 0x18, b"UI", b"1.2.3")
    with pytest.raises(UpstreamMismatch):
        walk(hand_made(CLASS, other, PATIENT, STUDY_, SERIES_))


def test_absent_and_empty_patient_ids_are_empty() -> None:
    assert walk(hand_made(CLASS, INSTANCE, STUDY_, SERIES_)).patient_id == ""
    assert walk(hand_made(CLASS, INSTANCE, element(0x10, 0x20, b"LO", b""), STUDY_, SERIES_)).patient_id == ""


@pytest.mark.parametrize("depth", [65, 300, 20_000])
def test_depth(depth: int) -> None:
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    opened = element(8, 0x1140, b"SQ", b"", 0xFFFFFFFF) + item
    with pytest.raises(UpstreamMalformed, match="dicom-depth"):
        walk(hand_made(CLASS, INSTANCE, opened * depth))


def test_depth_64_is_read() -> None:
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    ends = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    opened = element(8, 0x1140, b"SQ", b"", 0xFFFFFFFF) + item
    assert walk(hand_made(CLASS, INSTANCE, opened * 64 + ends * 64, PATIENT, STUDY_, SERIES_)).study == STUDY


def test_an_unknown_sequence_of_undefined_length_is_implicit() -> None:
    content = struct.pack("<HHIHHI", 0xFFFE, 0xE000, 0xFFFFFFFF, 8, 0x16, 4) + b"1.2\0"
    ends = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    unknown = element(9, 0x1001, b"UN", b"", 0xFFFFFFFF) + content + ends
    assert walk(hand_made(CLASS, INSTANCE, unknown, PATIENT, STUDY_, SERIES_)).sop_class == CT


def test_a_million_empty_items_and_a_sequence_without_end() -> None:
    opened = element(8, 0x1140, b"SQ", b"", 0xFFFFFFFF)
    empty = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    for items in (1_000_000, 10):
        with pytest.raises(UpstreamMalformed):
            walk(hand_made(CLASS, INSTANCE, opened + empty * items))


def test_what_is_held_is_bounded() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield hand_made(CLASS, INSTANCE, element(9, 0x1001, b"OB", b"", 2**31))
        while True:
            taken += 65536
            yield bytes(65536)

    with pytest.raises(UpstreamMalformed, match="dicom-header-long"):
        read_identity(endless())
    assert taken <= HELD + 65536


def deflated(content: bytes) -> bytes:
    squeeze = zlib.compressobj(1, zlib.DEFLATED, -15)
    return hand_made(squeeze.compress(content) + squeeze.flush(), syntax=b"1.2.840.10008.1.2.1.99")


@pytest.mark.threat("D4")
def test_a_deflate_bomb_stays_small() -> None:
    assert walk(deflated(b"".join(ALL))).series == SERIES
    bomb = deflated(CLASS + INSTANCE + element(9, 0x1001, b"OB", b"", 300_000_000) + bytes(300_000_000))
    assert len(bomb) < 2_000_000
    tracemalloc.start()
    try:
        with pytest.raises(UpstreamMalformed):
            walk(bomb)
        assert tracemalloc.get_traced_memory()[1] < 8 * HELD
    finally:
        tracemalloc.stop()


@pytest.mark.threat("D4")
def test_a_deflated_stream_that_gives_nothing_is_bounded() -> None:
    nothing = b"\0\0\0\xff\xff" * 1000
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield deflated(b"")[:-2]
        while True:
            taken += len(nothing)
            yield nothing

    with pytest.raises(UpstreamMalformed, match="dicom-header-long"):
        read_identity(endless())
    assert taken <= HELD + 2 * len(nothing)


@pytest.mark.threat("D9")
@pytest.mark.parametrize("size", [1, 50, 127, 128, 129, 2**18])
def test_the_preamble_is_zeroed_and_all_else_is_kept(size: int) -> None:
    raw = part10(ct(), preamble=b"MZ" + b"\x90" * 126)
    chunks = iter([raw[at : at + size] for at in range(0, len(raw), size)])
    _, held = read_identity(chunks)
    assert b"".join(held) + b"".join(chunks) == bytes(128) + raw[128:]


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [("ISO_IR 100", b"\xe9\xe8", "éè"), ("ISO_IR 192", "жё".encode(), "жё"), ("ISO_IR 144", b"\xb6\xf1", "Жё")],
)
def test_patient_ids_in_their_character_set(charset: str, raw: bytes, text: str) -> None:
    id_ = element(0x10, 0x20, b"LO", raw)
    elements = (
        element(8, 5, b"CS", charset.encode() + b" " * (len(charset) % 2)),
        CLASS,
        INSTANCE,
        id_,
        STUDY_,
        SERIES_,
    )
    assert walk(hand_made(*elements)).patient_id == text


def test_a_data_set_of_nothing_but_an_identity() -> None:
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID, data.PatientID = CT, SOP, "MRN-1"
    data.StudyInstanceUID, data.SeriesInstanceUID = STUDY, SERIES
    for syntax in SYNTAXES.values():
        assert walk(part10(data, syntax)).series == SERIES


@pytest.mark.parametrize("name", SYNTAXES)
@pytest.mark.parametrize("size", [1, 100, 2**18])
@pytest.mark.clause("PS3.10", "7.1")
def test_the_transfer_syntax_alone_is_what_the_whole_walk_says(name: str, size: int) -> None:
    raw = part10(ct(), SYNTAXES[name])
    found = read_transfer_syntax(raw[at : at + size] for at in range(0, len(raw), size))
    assert found == walk(raw, size).transfer_syntax == SYNTAXES[name]


@pytest.mark.parametrize("raw", [b"", bytes(131), bytes(132), bytes(128) + b"DICM", bytes(128) + b"DICM" + CLASS])
def test_what_is_no_file_has_no_transfer_syntax(raw: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        read_transfer_syntax([raw])
