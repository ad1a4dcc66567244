from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.data import get_testdata_file

from smartapp.dicomweb.core.facts import NoFrameError
from smartapp.dicomweb.core.pixels import encoded, open_image
from smartapp.dicomweb.core.stored import find_stored
from tests.dicomweb_core.samples import SYNTAXES, ct, part10

pytestmark = pytest.mark.clause("PS3.5", "A.4")

PLAIN = [
    "CT_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "JPEG2000.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_rle.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "examples_palette.dcm",
    "examples_rgb_color.dcm",
    "rtdose.dcm",
    "liver_1frame.dcm",
]
OTHERS = [
    "MR_small_bigendian.dcm",
    "image_dfl.dcm",
    "SC_rgb_rle_2frame.dcm",
    "test-SR.dcm",
    "MR_truncated.dcm",
]


class File:
    """A file that notes what is read of it, in bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self.taken = 0

    def read(self, offset: int, length: int) -> bytes:
        found = self._data[offset : offset + length]
        self.taken += len(found)
        return found


def sample(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


@pytest.mark.parametrize("name", PLAIN)
def test_the_quick_way_gives_what_the_child_gives(name: str) -> None:
    raw = sample(name)
    stored = find_stored(File(raw))
    image = open_image(raw)
    assert stored is not None
    for index in range(image.frames):
        assert stored.frame(index) == encoded(image, index)
    for fact in ("rows", "columns", "samples", "bits", "stored", "signed", "frames", "photometric", "planar", "syntax"):
        assert getattr(stored.facts, fact) == getattr(image, fact)
    for index in (-1, image.frames):
        with pytest.raises(NoFrameError):
            stored.frame(index)


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_left_to_the_child(name: str) -> None:
    assert dcmread(Path(str(get_testdata_file(name))), force=True)
    assert find_stored(File(sample(name))) is None


@pytest.mark.threat("D6")
@pytest.mark.parametrize(
    "attributes",
    [
        {"Rows": 65535},
        {"NumberOfFrames": "2"},
        {"NumberOfFrames": "-1"},
        {"BitsAllocated": 64},
        {"Rows": None},
        {"SamplesPerPixel": 2},
    ],
    ids=str,
)
def test_what_cannot_be(attributes: dict[str, Any]) -> None:
    raw = part10(ct(**attributes))
    assert find_stored(File(raw)) is None


@given(st.binary(max_size=200), st.integers(0, 700), st.sampled_from(["implicit", "explicit"]))
def test_garbage_never_raises(garbage: bytes, at: int, syntax: str) -> None:
    raw = bytearray(part10(ct(np.zeros((4, 4), np.int16)), SYNTAXES[syntax]))
    raw[128 + at : 128 + at + len(garbage)] = garbage
    stored = find_stored(File(bytes(raw)))
    assert stored is None or len(stored.frame(0)) * 8 >= stored.facts.frame_bits or stored.facts.frames == 1


def test_no_more_is_read_than_the_header_and_the_frame() -> None:
    file = File(part10(ct(np.zeros((40, 256, 256), np.int16), NumberOfFrames="40")))
    stored = find_stored(file)
    assert stored is not None
    assert len(stored.frame(39)) == 2 * 256 * 256
    assert file.taken <= 2**16 + 2 * 256 * 256 < file.size / 10


@pytest.mark.threat("D6")
def test_pixels_that_end_before_they_say_are_left_to_the_child() -> None:
    raw = part10(ct(np.zeros((64, 64), np.int16)))
    assert find_stored(File(raw)) is not None
    assert find_stored(File(raw[:-2])) is None


def test_a_header_of_many_elements_is_left_to_the_child() -> None:
    data = ct()
    for number in range(0x10, 0x10 + 100):
        data.add_new(0x00090000 + number, "LO", f"CREATOR {number}")
    for number in range(2000):
        data.add_new(0x00091000 + number, "LO", "x")
    assert find_stored(File(part10(data))) is None
