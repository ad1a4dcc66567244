"""Values and frames out of stored files, in every way that files are written."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from smartapp.dicomweb.core.render import RenderPool
from smartapp.dicomweb.core.render_wire import ANSWER
from smartapp.errors import NotFound, Unrenderable
from smartapp.records.addresses import Addresses
from smartapp.records.bulk import bulk_value
from smartapp.records.contents import cleaned, decode, encode, read_contents
from smartapp.records.frames import frames_of
from smartapp.records.instances import InMemory, transfer_syntax
from smartapp.settings import Rendering
from tests.dicomweb_upstream.objects import CT, Made, dataset

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


def _file(ds: Dataset, syntax: UID) -> InMemory:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(CT), ds.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    ds.file_meta, ds.preamble = meta, bytes(128)
    out = BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return InMemory(out.getvalue())


def _with_document() -> Dataset:
    ds = dataset(Made("1.5"))
    item = Dataset()
    item.EncapsulatedDocument = b"not this one"
    ds.RequestAttributesSequence = [item]
    ds["RequestAttributesSequence"].is_undefined_length = True
    ds.EncapsulatedDocument = b"%PDF-1.7"
    return ds


@pytest.mark.parametrize("syntax", SYNTAXES[:3])
def test_a_value_is_found_past_sequences_in_every_encoding(syntax: UID) -> None:
    file = _file(_with_document(), syntax)
    assert transfer_syntax(file) == syntax
    assert bulk_value(file, syntax, 0x00420011) == b"%PDF-1.7"
    for absent in (0x00420012, 0x00400275, 0x7FE00020, 0x00080001):
        with pytest.raises(NotFound):
            bulk_value(file, syntax, absent)


@pytest.mark.threat("D4")
def test_a_deflated_file_is_not_inflated_here() -> None:
    file = _file(_with_document(), DeflatedExplicitVRLittleEndian)
    with pytest.raises(Unrenderable):
        bulk_value(file, DeflatedExplicitVRLittleEndian, 0x00420011)


@given(st.binary(max_size=400), st.sampled_from(SYNTAXES))
def test_a_broken_file_is_an_error_of_ours(data: bytes, syntax: UID) -> None:
    try:
        bulk_value(InMemory(bytes(128) + b"DICM" + data), syntax, 0x00420011)
    except (NotFound, Unrenderable):
        return


@pytest.fixture
def pool() -> Iterator[RenderPool]:
    """Whose children are never asked: what is cut out costs none."""
    pool = RenderPool(Rendering(processes=1))
    yield pool
    pool.close()


def _three_frames() -> Dataset:
    ds = dataset(Made("1.5"))
    ds.NumberOfFrames, ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.Rows, ds.Columns = 3, 8, 8, 7, 3, 3
    ds["PixelData"].VR = "OB"
    ds.PixelData = bytes(range(27)) + b"\0"
    return ds


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("syntax", SYNTAXES[:2])
def test_frames_of_a_multi_frame_object_are_cut_without_decoding(
    pool: RenderPool, monkeypatch: pytest.MonkeyPatch, syntax: UID, *, stored: bool
) -> None:
    monkeypatch.setattr(pool, "frames", None)
    file = _file(_three_frames(), syntax)
    found = frames_of(file, (3, 1), pool, stored=stored)
    assert [(frame.data, frame.transfer_syntax) for frame in found] == [
        (bytes(range(18, 27)), ExplicitVRLittleEndian),
        (bytes(range(9)), ExplicitVRLittleEndian),
    ]
    with pytest.raises(NotFound):
        frames_of(file, (4,), pool, stored=stored)
    with pytest.raises(Unrenderable):
        frames_of(file, (1,) * (ANSWER // 9 + 1), pool, stored=stored)


def test_what_does_not_end_the_file_is_cut_all_the_same(pool: RenderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "frames", None)
    ds = _three_frames()
    ds.DataSetTrailingPadding = bytes(128)
    (found,) = frames_of(_file(ds, ExplicitVRLittleEndian), (2,), pool, stored=False)
    assert found.data == bytes(range(9, 18))


@pytest.mark.threat("D6")
@pytest.mark.parametrize("frames", [4, 10**6])
def test_dimensions_that_do_not_fit_cut_nothing(pool: RenderPool, frames: int) -> None:
    ds = _three_frames()
    ds.NumberOfFrames = frames
    with pytest.raises(Unrenderable):
        frames_of(_file(ds, ExplicitVRLittleEndian), (1,), pool, stored=False)


@pytest.mark.threat("A6")
def test_metadata_leaves_without_private_elements_and_other_addresses() -> None:
    bulk = {"vr": "OB", "BulkDataURI": "http://pacs.invalid/b"}
    nested = {"vr": "SQ", "Value": [{"00420011": bulk, "00091001": {"vr": "LO", "Value": ["x"]}}]}
    row = {
        "00100020": {"vr": "LO", "Value": ["SE-1001"]}, "00091001": {"vr": "LO", "Value": ["x"]}, "00091002": bulk,
        "00420011": bulk, "00400275": nested, "00081190": {"vr": "UR", "Value": ["http://pacs.invalid/x"]},
        "not a tag": bulk,
    }  # fmt: skip
    assert cleaned(row, "https://us/i") == {
        "00100020": {"vr": "LO", "Value": ["SE-1001"]},
        "00420011": {"vr": "OB", "BulkDataURI": "https://us/i/bulkdata/00420011"},
        "00400275": {"vr": "SQ", "Value": [{}]},
        "00081190": {"vr": "UR", "Value": ["https://us/i"]},
    }


def test_contents_are_in_viewing_order_and_survive_being_kept() -> None:
    made = [dataset(Made(f"1.5.{at}", number=at)) for at in (3, 1, 2)]
    rows = [ds.to_json_dict(bulk_data_threshold=1, bulk_data_element_handler=lambda _element: "x") for ds in made]
    found, document = read_contents(rows, Addresses("https://us", "h"), "1.2.3", "1.2.3.1")
    assert [each.sop for each in found.instances] == ["1.5.1", "1.5.2", "1.5.3"]
    assert decode(encode(found)) == found
    listed = found.find("1.5.2")
    assert listed is not None
    assert listed.frames == 1
    assert b'"1.5.2"' in document[listed.at : listed.at + listed.size]
    assert found.find("1.5.9") is None


@pytest.mark.clause("PS3.18", "F.2.2")
@pytest.mark.parametrize(("said", "shown"), [("OW", "OW"), ("OB or OW", "UN"), (None, "UN"), (7, "UN")])
def test_a_value_representation_is_one_or_unknown(said: object, shown: str) -> None:
    row = {"7FE00010": {"vr": said, "BulkDataURI": "http://pacs.invalid/b"}}
    assert cleaned(row, "https://ours/1")["7FE00010"] == {
        "vr": shown,
        "BulkDataURI": "https://ours/1/bulkdata/7FE00010",
    }
