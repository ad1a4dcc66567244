"""Values and frames out of stored files, in every way that files are written."""

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

from smartapp.errors import NotFound, Unrenderable
from smartapp.records.addresses import Addresses
from smartapp.records.bulk import bulk_value
from smartapp.records.contents import Listed, cleaned, decode, encode, read_contents
from smartapp.records.frames import slice_native
from smartapp.records.instances import InMemory, transfer_syntax
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


def _listed(frames: int, size: int) -> Listed:
    return Listed("1.5", CT, 1, frames, size, 0, 0)


@pytest.mark.parametrize("syntax", SYNTAXES[:2])
def test_frames_of_a_multi_frame_object_are_cut_without_decoding(syntax: UID) -> None:
    ds = dataset(Made("1.5"))
    ds.NumberOfFrames, ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.Rows, ds.Columns = 3, 8, 8, 7, 3, 3
    ds["PixelData"].VR = "OB"
    ds.PixelData = bytes(range(27)) + b"\0"
    found = slice_native(_file(ds, syntax), syntax, _listed(3, 9), (3, 1))
    assert found is not None
    assert [frame.data for frame in found] == [bytes(range(18, 27)), bytes(range(9))]
    with pytest.raises(NotFound):
        slice_native(_file(ds, syntax), syntax, _listed(3, 9), (4,))


@pytest.mark.threat("D6")
@pytest.mark.parametrize(("frames", "size"), [(1, 27), (2, 9), (3, 8), (4, 9), (3, 2**31), (10**6, 9), (0, 9), (3, 0)])
def test_dimensions_that_do_not_fit_cut_nothing(frames: int, size: int) -> None:
    ds = dataset(Made("1.5"))
    ds.NumberOfFrames, ds.BitsAllocated, ds.Rows, ds.Columns = 3, 8, 3, 3
    ds["PixelData"].VR = "OB"
    ds.PixelData = bytes(range(27)) + b"\0"
    found = slice_native(_file(ds, ExplicitVRLittleEndian), ExplicitVRLittleEndian, _listed(frames, size), (1,))
    if (frames, size) == (1, 27):  # the same bytes, said otherwise
        assert found is not None
    else:
        assert found is None


def test_what_ends_the_file_must_be_pixel_data() -> None:
    ds = dataset(Made("1.5"))
    ds.DataSetTrailingPadding = bytes(128)
    file = _file(ds, ExplicitVRLittleEndian)
    assert slice_native(file, ExplicitVRLittleEndian, _listed(1, 128), (1,)) is None


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
    assert listed.frame_size == 128
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
