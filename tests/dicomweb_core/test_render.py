import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from smartapp.dicomweb.core.picture import render
from smartapp.dicomweb.core.pixels import open_image
from smartapp.dicomweb.core.render import RenderPool, Window, parse_viewport, parse_window
from smartapp.dicomweb.core.render_child import _answer
from smartapp.dicomweb.core.render_wire import ANSWER, unpack
from smartapp.errors import BadInput, NotFound, Unrenderable
from smartapp.settings import Rendering
from tests.dicomweb_core.samples import SYNTAXES, ct, part10

Pixels = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    pool = RenderPool(Rendering(processes=1))
    yield pool
    pool.close()


def sample(name: str) -> Path:
    return Path(str(get_testdata_file(name)))


def shown(raw: bytes, number: int = 1, window: Window | None = None) -> Pixels:
    """The picture's pixels, by way of a PNG, which loses nothing. Made in this process: what we wrote is harmless."""
    wanted = (window.center, window.width, window.function) if window else None
    return np.asarray(Image.open(io.BytesIO(render(open_image(raw), number - 1, wanted, None, 90, "image/png"))))


def answer(raw: bytes, **request: Any) -> tuple[dict[str, Any], bytes]:
    """What the child says to a request."""
    stream = io.BytesIO(b"".join(_answer(request, raw)))
    return unpack(stream.read, ANSWER)


def row(*values: int, kind: str = "<i2") -> Pixels:
    return np.array([values], dtype=kind)


# PS3.3 §C.11.2.1.2.1: c = 40, w = 400 shows -160 and less black, 239 and more white, and 40 just above the middle.
HU = row(-1000, -160, -159, 40, 138, 239, 1000)
SOFT = [0, 0, 1, 128, 190, 255, 255]


@pytest.mark.clause("PS3.3", "C.11.2.1.2")
@pytest.mark.parametrize(
    ("window", "greys"),
    [
        (Window(40, 400), SOFT),
        (Window(-600, 1500), [60, 202, 203, 236, 253, 255, 255]),  # lung
        (Window(400, 1800), [0, 48, 48, 77, 90, 105, 213]),  # bone
        (Window(40, 400, "LINEAR_EXACT"), [0, 0, 1, 128, 190, 254, 255]),
        (Window(40, 400, "SIGMOID"), [0, 30, 31, 128, 185, 224, 255]),
        (Window(40, 1), [0, 0, 0, 255, 255, 255, 255]),
    ],
)
def test_known_greys(window: Window, greys: list[int]) -> None:
    raw = part10(ct(HU + 1024, RescaleSlope="1", RescaleIntercept="-1024"))
    assert shown(raw, window=window)[0].tolist() == greys


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=list(SYNTAXES))
def test_the_objects_own_window(syntax: str) -> None:
    pixels = HU.astype(">i2") if syntax == SYNTAXES["big-endian"] else HU
    raw = part10(ct(pixels, WindowCenter=["40", "-600"], WindowWidth=["400", "1500"]), syntax)
    assert shown(raw)[0].tolist() == SOFT


def test_without_a_window_the_range_is_shown() -> None:
    assert shown(part10(ct(row(-50, 0, 50))))[0].tolist() == [0, 128, 255]
    assert shown(part10(ct(row(7, 7))))[0].tolist() == [128, 128]
    impossible = part10(ct(row(-50, 50), WindowCenter="0", WindowWidth="0"))
    assert shown(impossible)[0].tolist() == [0, 255]


@pytest.mark.clause("PS3.3", "C.7.6.3.1.2")
def test_monochrome1_is_inverted_once() -> None:
    both: list[dict[str, Any]] = [
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"},
    ]
    for attributes in both:
        assert shown(part10(ct(row(0, 255, kind="u1"), **attributes)))[0].tolist() == [255, 0]


@pytest.mark.clause("PS3.3", "C.7.5.1.1.2")
def test_padding_is_black_and_no_part_of_the_range() -> None:
    data = ct(row(-2000, -1990, 0, 100), PixelPaddingValue=-2000, PhotometricInterpretation="MONOCHROME1")
    data.PixelPaddingRangeLimit = -1990
    assert shown(part10(data))[0].tolist() == [0, 0, 255, 0]


def test_unused_high_bits_are_no_part_of_the_value() -> None:
    twelve: dict[str, Any] = {"BitsStored": 12, "HighBit": 11, "WindowCenter": "0.5", "WindowWidth": "4096"}
    overlay = row(0x1800, 0x0000, 0x17FF, kind="<u2")  # bit 12 was once an overlay's (PS3.5 §8.1.2)
    assert shown(part10(ct(overlay, PixelRepresentation=1, **twelve)))[0].tolist() == [0, 128, 255]


@pytest.mark.clause("PS3.3", "C.11.1.1")
def test_lookup_tables() -> None:
    modality = Dataset()
    modality.add_new("LUTDescriptor", "SS", [4, -1, 16])
    modality.add_new("LUTData", "US", [0, 10, 20, 30])
    voi = Dataset()
    voi.add_new("LUTDescriptor", "US", [31, 0, 8])
    voi.add_new("LUTData", "US", list(range(31)))
    data = ct(row(-9, -1, 0, 1, 2, 9), ModalityLUTSequence=Sequence([modality]), VOILUTSequence=Sequence([voi]))
    assert shown(part10(data))[0].tolist() == [0, 0, 10, 20, 30, 30]
    assert shown(part10(data), window=Window(16, 31))[0].tolist() == [0, 0, 81, 166, 251, 251]


@pytest.mark.clause("PS3.3", "C.7.6.16")
def test_each_frame_of_an_enhanced_object_has_its_own_window() -> None:
    def group(keyword: str, **attributes: str) -> Dataset:
        macro, holder = Dataset(), Dataset()
        for name, value in attributes.items():
            setattr(macro, name, value)
        setattr(holder, keyword, Sequence([macro]))
        return holder

    data = ct(np.stack([HU, HU]), NumberOfFrames="2")
    data.SharedFunctionalGroupsSequence = Sequence(
        [group("PixelValueTransformationSequence", RescaleSlope="2", RescaleIntercept="0")]
    )
    data.PerFrameFunctionalGroupsSequence = Sequence(
        [
            group("FrameVOILUTSequence", WindowCenter="79.5", WindowWidth="799"),
            group("FrameVOILUTSequence", WindowCenter="0", WindowWidth="1", VOILUTFunction="SIGMOID"),
        ]
    )
    raw = part10(data)
    assert shown(raw, 1)[0].tolist() == SOFT
    assert shown(raw, 2)[0].tolist() == [0, 0, 0, 255, 255, 255, 255]


def test_colours() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 8, 7]]], np.uint8)
    assert np.array_equal(shown(part10(ct(pixels, samples=3))), pixels)
    planes = ct(pixels, samples=3, PlanarConfiguration=1)
    planes.PixelData = pixels.transpose(2, 0, 1).tobytes()
    assert np.array_equal(shown(part10(planes)), pixels)
    grey = np.full((2, 2, 3), 128, np.uint8)
    assert np.array_equal(shown(part10(ct(grey, samples=3, PhotometricInterpretation="YBR_FULL"))), grey)
    deep = part10(ct(pixels.astype("<u2") << 8, samples=3))
    assert np.array_equal(shown(deep), pixels)


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_jpeg_dcmtk.dcm",
        "SC_rgb_dcmtk_+eb+cy+n1.dcm",
        "SC_rgb_rle.dcm",
        "SC_rgb_rle_2frame.dcm",
        "examples_ybr_color.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
        "examples_rgb_color.dcm",
        "examples_jpeg2k.dcm",
    ],
)
def test_colours_of_others(name: str) -> None:
    theirs = dcmread(sample(name)).pixel_array
    theirs = theirs[0] if theirs.ndim == 4 else theirs
    ours = shown(sample(name).read_bytes()).astype(int)
    # Two correct JPEG decoders may round a sample differently.
    assert np.abs(ours - theirs).max() <= 2


def test_palette() -> None:
    file = dcmread(sample("examples_palette.dcm"))
    expected = apply_color_lut(file.pixel_array, file)
    assert np.array_equal(shown(sample("examples_palette.dcm").read_bytes()), expected >> 8)


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_implicit.dcm",
        "MR_small_bigendian.dcm",
    ],
)
def test_lossless_syntaxes_decode_to_the_same(pool: RenderPool, name: str) -> None:
    expected = dcmread(sample("MR_small.dcm")).PixelData
    raw = sample(name).read_bytes()
    (frame,) = pool.frames(raw, [1], "explicit-le")
    assert frame.data == expected
    assert frame.transfer_syntax == ExplicitVRLittleEndian
    assert (frame.rows, frame.columns, frame.bits_allocated, frame.signed) == (64, 64, 16, True)
    assert np.array_equal(shown(raw), shown(sample("MR_small.dcm").read_bytes()))


@pytest.mark.parametrize("name", ["JPEG2000.dcm", "JPGExtended.dcm", "JPEGLSNearLossless_08.dcm"])
def test_other_syntaxes(pool: RenderPool, name: str) -> None:
    file = dcmread(sample(name))
    (frame,) = pool.frames(sample(name).read_bytes(), [1], "explicit-le")
    decoded = np.frombuffer(frame.data, file.pixel_array.dtype).reshape(file.pixel_array.shape)
    assert np.abs(decoded.astype(int) - file.pixel_array).max() <= 1
    (stored,) = pool.frames(sample(name).read_bytes(), [1], "raw")
    assert stored.transfer_syntax == file.file_meta.TransferSyntaxUID
    assert stored.data in file.PixelData


def test_a_picture_from_the_child_is_the_picture(pool: RenderPool) -> None:
    raw = part10(ct(HU))
    picture = pool.rendered(raw, 1, window=Window(40, 400), kind="image/png")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(picture))), shown(raw, window=Window(40, 400)))


def test_what_the_child_answers() -> None:
    pixels = np.arange(4 * 6, dtype="<i2").reshape(4, 2, 3)
    raw = part10(ct(pixels, NumberOfFrames="4"))
    for target in ("raw", "explicit-le"):
        header, payload = answer(raw, job="frames", numbers=[4, 1], target=target)
        assert payload == pixels[3].tobytes() + pixels[0].tobytes()
        assert header["frames"] == [{"size": 12, "photometric": "MONOCHROME2", "bits_allocated": 16}] * 2
        assert (header["rows"], header["columns"], header["signed"]) == (2, 3, True)
    middle = answer(raw, job="rendered", number=None, window=None, viewport=[6, 4], quality=90, kind="image/png")[1]
    assert Image.open(io.BytesIO(middle)).size == (6, 4)
    assert answer(raw, job="frames", numbers=[5], target="raw")[0] == {"error": "no-frame"}
    assert answer(b"junk", job="frames", numbers=[1], target="raw")[0] == {"error": "decode"}
    assert answer(part10(ct(Rows=0)), job="frames", numbers=[1], target="raw")[0] == {"error": "dimensions"}
    many = [1] * (ANSWER // 2**20 + 1)
    assert answer(part10(ct(np.zeros((512, 1024), np.int16))), job="frames", numbers=many, target="raw")[0] == {
        "error": "too-large"
    }


@pytest.mark.parametrize("kind", ["i4", "u4"])
def test_pixels_of_32_bits(kind: str) -> None:
    raw = part10(ct(row(0, 70_000, 140_000, kind=f"<{kind}"), PixelPaddingValue=7))
    assert shown(raw)[0].tolist() == [0, 128, 255]
    assert shown(raw, window=Window(70_000, 2))[0].tolist() == [0, 255, 255]


@pytest.mark.parametrize("target", ["raw", "explicit-le"])
def test_frames_are_chosen_by_number(pool: RenderPool, target: Any) -> None:
    pixels = np.arange(4 * 6, dtype="<i2").reshape(4, 2, 3)
    raw = part10(ct(pixels, NumberOfFrames="4"))
    frames = pool.frames(raw, [3, 1], target)
    assert [frame.data for frame in frames] == [pixels[2].tobytes(), pixels[0].tobytes()]
    for missing in (0, 5, -1):
        with pytest.raises(NotFound):
            pool.frames(raw, [missing], target)
    with pytest.raises(NotFound):
        pool.rendered(raw, 5)


def test_frames_of_an_encapsulated_object(pool: RenderPool) -> None:
    raw = sample("SC_rgb_rle_2frame.dcm").read_bytes()
    first, second = pool.frames(raw, [1, 2], "explicit-le")
    theirs = dcmread(sample("SC_rgb_rle_2frame.dcm"))
    planes = (3, 100, 100) if first.planar_configuration else (100, 100, 3)
    assert first.planar_configuration == theirs.PlanarConfiguration
    for frame, expected in zip((first, second), theirs.pixel_array, strict=True):
        found = np.frombuffer(frame.data, np.uint8).reshape(planes)
        assert np.array_equal(found.transpose(1, 2, 0) if frame.planar_configuration else found, expected)


@pytest.mark.clause("PS3.18", "8.3.5.1.3")
def test_viewport_and_types(pool: RenderPool) -> None:
    raw = part10(ct(np.zeros((50, 100), np.int16)))
    for viewport, size in (((40, 40), (40, 20)), ((400, 60), (120, 60)), ((1, 1), (1, 1))):
        picture = Image.open(io.BytesIO(pool.rendered(raw, 1, viewport=viewport)))
        assert (picture.format, picture.size) == ("JPEG", size)
    fine = pool.rendered(sample("CT_small.dcm").read_bytes(), 1, quality=95)
    assert len(pool.rendered(sample("CT_small.dcm").read_bytes(), 1, quality=20)) < len(fine)
    with pytest.raises(BadInput):
        pool.rendered(raw, 1, quality=0)


def test_thumbnail_is_the_middle_frame(pool: RenderPool) -> None:
    pixels = np.zeros((3, 400, 200), np.uint8)
    pixels[1] = 200
    raw = part10(ct(pixels, NumberOfFrames="3", WindowCenter="128", WindowWidth="256"))
    picture = Image.open(io.BytesIO(pool.thumbnail(raw)))
    assert (picture.format, picture.size) == ("JPEG", (80, 160))
    assert abs(int(np.asarray(picture)[80, 40]) - 200) <= 2


@pytest.mark.clause("PS3.18", "8.3.5.1.4")
def test_parameters() -> None:
    assert parse_window("40,400.5,linear") == Window(40, 400.5)
    assert parse_window("-1e2,1,linear-exact") == Window(-100, 1, "LINEAR_EXACT")
    assert parse_viewport("512,256") == (512, 256)
    for bad in ("", "40,400", "40,0.5,linear", "40,0,sigmoid", "nan,1,linear", "0,inf,linear", "1,2,LINEAR", "1,2,x,3"):
        with pytest.raises(BadInput):
            parse_window(bad)
    for bad in ("", "0,5", "5", "-1,5", "9999,1", "1,99999", "1.5,2", "1,2,3,4", "٣,٣"):
        with pytest.raises(BadInput):
            parse_viewport(bad)


LARGE = {"Rows": 65535, "Columns": 65535}


@pytest.mark.threat("D6")
@pytest.mark.parametrize(
    "attributes",
    [
        LARGE,
        LARGE | {"NumberOfFrames": "1000000", "SamplesPerPixel": 3, "BitsAllocated": 32},
        {"NumberOfFrames": "1000000"},
        {"NumberOfFrames": "-1"},
        {"NumberOfFrames": "0"},
        {"SamplesPerPixel": 65535},
        {"BitsAllocated": 64},
        {"BitsAllocated": 7},
        {"BitsAllocated": 0},
        {"BitsStored": 17},
        {"BitsStored": 0},
        {"Rows": 0},
        {"Rows": None},
        {"Rows": 17},
        {"PhotometricInterpretation": "HSV"},
        {"PhotometricInterpretation": "PALETTE COLOR"},
        {"VOILUTSequence": Sequence([Dataset()])},
    ],
    ids=str,
)
def test_objects_that_lie_of_their_size(pool: RenderPool, attributes: dict[str, Any]) -> None:
    raw = part10(ct(**attributes))
    with pytest.raises(Unrenderable):
        pool.rendered(raw, 1)


@pytest.mark.threat("D6")
@pytest.mark.parametrize("number", ["1e9", "1\\2", "x", "2147483648", "9" * 60])
def test_numbers_of_frames_that_are_none(pool: RenderPool, number: str) -> None:
    data = ct()
    data.add_new("AccessionNumber", "SH", "")
    padded = number.encode() + b" " * (len(number) % 2)
    raw = part10(data).replace(
        struct.pack("<HH2sH", 0x28, 0x10, b"US", 2),
        struct.pack("<HH2sH", 0x28, 8, b"IS", len(padded)) + padded + struct.pack("<HH2sH", 0x28, 0x10, b"US", 2),
    )
    with pytest.raises(Unrenderable):
        pool.rendered(raw, 1)


@pytest.mark.threat("D6")
def test_rows_that_are_long_and_code_streams_that_are_larger_than_said(pool: RenderPool) -> None:
    raw = part10(ct())
    long = raw.replace(
        struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 16), struct.pack("<HH2sHI", 0x28, 0x10, b"UL", 4, 2**31)
    )
    assert long != raw
    small = (
        sample("JPEG2000.dcm")
        .read_bytes()
        .replace(
            struct.pack("<HH2sH", 0x28, 0x10, b"US", 2) + b"\0\4", struct.pack("<HH2sH", 0x28, 0x10, b"US", 2) + b"\4\0"
        )
    )
    assert small != sample("JPEG2000.dcm").read_bytes()
    for bad in (long, small):
        with pytest.raises(Unrenderable):
            pool.rendered(bad, 1)


@pytest.mark.parametrize(("photometric", "error"), [("HSV", "photometric"), ("PALETTE COLOR", "decode")])
def test_colours_that_cannot_be_shown(photometric: str, error: str) -> None:
    raw = part10(ct(PhotometricInterpretation=photometric))
    about = {"number": 1, "window": None, "viewport": None, "quality": 90, "kind": "image/jpeg"}
    assert answer(raw, job="rendered", **about)[0] == {"error": error}


def test_a_syntax_that_cannot_be_decoded(pool: RenderPool) -> None:
    video = sample("MR_small_RLE.dcm").read_bytes().replace(b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.9\0")
    with pytest.raises(Unrenderable, match="syntax"):
        pool.thumbnail(video)


@pytest.mark.parametrize("name", ["test-SR.dcm", "waveform_ecg.dcm", "rtplan.dcm"])
def test_objects_without_pixels(pool: RenderPool, name: str) -> None:
    with pytest.raises(Unrenderable, match="no-pixels"):
        pool.thumbnail(sample(name).read_bytes())


def test_a_code_stream_that_breaks_its_standard(pool: RenderPool) -> None:
    with pytest.raises(Unrenderable, match="decode"):
        pool.thumbnail(sample("JPEG-lossy.dcm").read_bytes())


@pytest.mark.threat("D8")
def test_depth_of_sequences(pool: RenderPool) -> None:
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    opened = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF) + item
    whole = part10(ct())
    at = whole.index(struct.pack("<HH", 0x10, 0x10))
    for depth in (300, 20_000):
        with pytest.raises(Unrenderable):
            pool.thumbnail(whole[:at] + opened * depth + whole[at:])
    assert pool.thumbnail(whole)


@pytest.mark.threat("D4")
def test_a_deflate_bomb(pool: RenderPool) -> None:
    raw = part10(ct(), SYNTAXES["deflated"])
    assert pool.thumbnail(raw)
    squeeze = zlib.compressobj(1, zlib.DEFLATED, -15)
    at = raw.index(b"1.2.840.10008.1.2.1.99") + 22
    end = 132 + 12 + struct.unpack_from("<I", raw, 140)[0]
    assert at < end
    bomb = raw[:end] + squeeze.compress(bytes(300_000_000)) + squeeze.flush()
    with pytest.raises(Unrenderable, match="deflate"):
        pool.thumbnail(bomb)
