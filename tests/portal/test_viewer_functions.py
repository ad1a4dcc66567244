"""The viewer's pure functions, called in the browser that will run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.portal.conftest import Portal

Call = Callable[..., Any]
CALL = """async ([file, name, args]) => {
  const found = (await import(`/portal/viewer/${file}.js`))[name](...args);
  return ArrayBuffer.isView(found) ? [...found] : found;
}"""
READ = """async ([format, raws]) => {
  const { sampleReader } = await import("/portal/viewer/window.js");
  return raws.map(sampleReader(format));
}"""
GREY = {"bitsAllocated": 8, "bitsStored": 8, "highBit": 7, "signed": False, "slope": 1, "intercept": 0,
        "inverted": False, "padding": None, "shape": "LINEAR"}  # fmt: skip


@pytest.fixture
def call(live_portal: Portal, chromium: Browser) -> Iterator[Call]:
    """`call("window", "windowed", …)` is what that function gives in a browser, as plain lists and numbers."""
    page = chromium.new_page()
    page.goto(live_portal.base_url)

    def run(file: str, name: str, *args: Any) -> Any:
        if name == "sampleReader":
            return page.evaluate(READ, list(args))
        return page.evaluate(CALL, [file, name, list(args)])

    yield run
    page.close()


@pytest.mark.clause("PS3.5", "8.1.1")
def test_stored_bits_become_values(call: Call) -> None:
    def read(stored: int, high: int, raws: list[int], *, signed: bool) -> Any:
        return call("window", "sampleReader", {"bitsStored": stored, "highBit": high, "signed": signed}, raws)

    assert read(16, 15, [0, 0x7FFF, 0x8000, 0xFFFF], signed=True) == [0, 32767, -32768, -1]
    assert read(16, 15, [0, 0xFFFF], signed=False) == [0, 65535]
    assert read(12, 11, [0x0800, 0x0FFF, 0xF001], signed=True) == [-2048, -1, 1]
    assert read(12, 15, [0xFFF0, 0x000F, 0x0010], signed=False) == [4095, 0, 1]


@pytest.mark.clause("PS3.3", "C.11.2.1.2.1")
@pytest.mark.clause("PS3.3", "C.11.2.1.3")
def test_windows_of_every_shape(call: Call) -> None:
    def share(value: float, window: list[float], shape: str) -> Any:
        return call("window", "windowed", value, window, shape)

    # The standard's own example: centre 2048, width 4096 reaches from 0 to 4095.
    assert [share(v, [2048, 4096], "LINEAR") for v in (-1, 0, 4095, 4096)] == [0, 0, 1, 1]
    assert share(2047.5, [2048, 4096], "LINEAR") == pytest.approx(0.5)
    assert [share(v, [100, 1], "LINEAR") for v in (99, 100)] == [0, 1]
    assert [share(v, [2048, 4096], "LINEAR_EXACT") for v in (0, 2048, 4096)] == [0, 0.5, 1]
    assert share(100, [100, 50], "SIGMOID") == 0.5
    assert 0.85 < share(125, [100, 50], "SIGMOID") < 0.9


def test_a_picture_without_a_window_is_shown_whole_without_its_padding(call: Call) -> None:
    table = GREY | {"padding": 255}
    assert call("window", "fullWindow", [10, 20, 255], table) == [15.5, 11]
    assert call("window", "fullWindow", [255, 255], table) == [0, 1]
    assert call("window", "greyTable", GREY, [128, 256])[:2] == [0, 1]
    assert call("window", "greyTable", GREY | {"inverted": True}, [128, 256])[:2] == [255, 254]


@pytest.mark.clause("PS3.3", "C.7.6.2.1.1")
def test_edges_name_the_patients_sides(call: Call) -> None:
    def edges(**picture: Any) -> Any:
        return call("geometry", "edgeLetters", {"orientation": None, "patientOrientation": None} | picture)

    axial = edges(orientation=[1, 0, 0, 0, 1, 0])
    assert axial == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    assert edges(orientation=[0, 1, 0, 0, 0, -1]) == {"left": "A", "right": "P", "top": "S", "bottom": "I"}
    assert edges(orientation=[0.7, 0.7, 0, 0, 0, -1])["right"] in {"LP", "PL"}
    assert edges(patientOrientation=["R", "F"]) == {"left": "L", "right": "R", "top": "S", "bottom": "I"}
    assert edges() is None
    assert edges(patientOrientation=["<b>", "F"]) is None


def test_a_scale_bar_is_round_and_never_longer_than_its_room(call: Call) -> None:
    assert call("geometry", "scaleBar", 2, 150) == {"millimetres": 50, "pixels": 100}
    assert call("geometry", "scaleBar", None, 150) is None
    assert call("geometry", "scaleBar", 1000, 150) is None


def _dataset(**values: list[Any]) -> dict[str, Any]:
    return {tag.removeprefix("x"): {"vr": "UN", "Value": value} for tag, value in values.items()}


@pytest.mark.clause("PS3.3", "C.7.6.16")
def test_each_frame_of_an_enhanced_object_has_its_own_place_and_window(call: Call) -> None:
    def groups(z: float, centre: float) -> dict[str, Any]:
        return _dataset(
            x00209113=[_dataset(x00200032=[0, 0, z])], x00289132=[_dataset(x00281050=[centre], x00281051=[10])]
        )

    shared = _dataset(
        x00289110=[_dataset(x00280030=[0.5, 0.25])],
        x00209116=[_dataset(x00200037=[1, 0, 0, 0, 1, 0])],
        x00289145=[_dataset(x00281052=[-100], x00281053=[2])],
    )
    dataset = _dataset(
        x00080018=["1.2.3"], x00280008=["2"], x00280010=[4], x00280011=[6], x00280100=[16], x00280101=[12],
        x00280004=["MONOCHROME2"], x52009229=[shared], x52009230=[groups(9, 1), groups(4, 2)],
    )  # fmt: skip
    found = call("metadata", "picturesOf", [dataset])
    assert [(p["frame"], p["window"], p["distance"]) for p in found] == [(2, [2, 10], 4), (1, [1, 10], 9)]
    assert found[0]["spacing"] == [0.5, 0.25]
    assert (found[0]["format"]["slope"], found[0]["format"]["intercept"]) == (2, -100)
    assert found[0]["grey"]


def test_what_cannot_be_windowed_here_is_left_to_the_server(call: Call) -> None:
    base = {"x00080018": ["1"], "x00280010": [4], "x00280011": [4], "x00280004": ["MONOCHROME2"]}
    colour = base | {"x00280002": [3], "x00280100": [8], "x00280004": ["RGB"]}
    deep, table = base | {"x00280100": [32]}, base | {"x00280100": [16], "x00283010": [{}]}
    no_pixels = {"x00080018": ["2"]}
    found = call("metadata", "picturesOf", [_dataset(**values) for values in (colour, deep, table, no_pixels)])
    assert [picture["grey"] for picture in found] == [False, False, False]


def test_series_are_sorted_by_number_and_then_by_place(call: Call) -> None:
    def instance(sop: str, number: int, z: float) -> dict[str, Any]:
        return _dataset(
            x00080018=[sop], x00200013=[number], x00280010=[4], x00280011=[4], x00280100=[16],
            x00200037=[1, 0, 0, 0, 1, 0], x00200032=[0, 0, z],
        )  # fmt: skip

    instances = [instance("c", 2, 1), instance("b", 1, 7), instance("a", 1, 5)]
    assert [picture["sop"] for picture in call("metadata", "picturesOf", instances)] == ["a", "b", "c"]


@pytest.mark.clause("PS3.3", "C.7.6.2.1.1")
def test_a_place_is_named_by_its_side_and_distance(call: Call) -> None:
    def place(orientation: list[int] | None, at: float | None) -> Any:
        return call("geometry", "placeText", {"orientation": orientation, "place": at})

    assert place([1, 0, 0, 0, 1, 0], 12.34) == "S 12.3 mm"
    assert place([1, 0, 0, 0, 1, 0], -12.34) == "I 12.3 mm"
    assert place([0, 1, 0, 0, 0, -1], 5) == "R 5.0 mm"
    assert place(None, 5) == place([1, 0, 0, 0, 1, 0], None) == ""


@pytest.mark.clause("PS3.3", "C.7.4.1.1.1")
def test_places_are_compared_only_in_one_coordinate_system_and_in_parallel(call: Call) -> None:
    axial = {"orientation": [1, 0, 0, 0, 1, 0], "place": 1, "frameOfReference": "1.2"}

    def comparable(**other: Any) -> Any:
        return call("geometry", "comparable", axial, axial | other)

    assert comparable()
    assert not comparable(frameOfReference="1.3")
    assert not comparable(orientation=[0, 1, 0, 0, 0, -1])
    assert not comparable(orientation=None)
    assert not comparable(place=None)
    assert not call("geometry", "comparable", axial | {"frameOfReference": None}, axial | {"frameOfReference": None})
    assert not call("geometry", "comparable", None, axial)


@pytest.mark.clause("PS3.3", "C.7.6.5")
@pytest.mark.parametrize(
    ("values", "pace"),
    [
        ({"x00181063": [40]}, [40, 40]),
        ({"x00181065": [0, 33]}, [33, 33]),
        ({"x00180040": ["20"]}, [50, 50]),
        ({"x00082144": [10], "x00181063": [40]}, [100, 100]),
        ({"x00181063": [0]}, [100, 100]),
        ({"x00181063": ["x"]}, [100, 100]),
        ({"x00181063": [0.001]}, [10, 10]),
        ({"x00180040": [0.001]}, [2000, 2000]),
    ],
)
def test_a_film_has_the_pace_that_its_object_tells(call: Call, values: dict[str, Any], pace: list[int]) -> None:
    base: dict[str, list[Any]] = {
        "x00080018": ["1"],
        "x00280008": [2],
        "x00280010": [4],
        "x00280011": [4],
        "x00280100": [8],
    }
    found = call("metadata", "picturesOf", [_dataset(**base, **values)])
    assert [(picture["clip"], picture["interval"]) for picture in found] == [(True, each) for each in pace]
