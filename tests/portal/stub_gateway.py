"""A DICOMweb server with made-up series, behind the same kind of token: what the viewer talks to."""
# ruff: noqa: ARG002  # Flask hands every part of the path to the view

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Blueprint, Response, jsonify, request
from PIL import Image

from smartapp.errors import NotFound, NotSignedIn, PermitEnded, UpstreamDown
from smartapp.web.rules import Rule, rule
from tests.portal import fakes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.fakes import FakeViewerTokens

SIZE = 64
FRAMES = 12
RAW = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
HOUNSFIELD = (-1000, -600, 50, 480)
"""Top left, top right, bottom left, bottom right quarter of every CT slice."""


@dataclass
class StubGateway:
    """`broken` instances answer 503, `short` ones lack their second half; `asked` lists (path, Accept).

    `away`: so many requests are answered 503 with `Retry-After: 1`. `refused`: everything is answered 403.
    `one_system`: the slices of both studies have one Frame of Reference.
    """

    tokens: FakeViewerTokens
    broken: set[int] = field(default_factory=set)
    short: set[int] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    away: int = 0
    refused: bool = False
    one_system: bool = True
    hold: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.hold.set()

    def blueprint(self) -> Blueprint:
        found = Blueprint("gateway", __name__, url_prefix="/st-elsewhere/dicomweb/studies/<study>/series/<series>")
        frame = "/instances/<sop>/frames/<int:frame>"
        views: dict[str, Callable[..., Response]] = {
            "/metadata": self.metadata,
            frame: self.frame,
            f"{frame}/rendered": self.rendered,
        }
        for number, (path, view) in enumerate(views.items()):
            # A bound method cannot carry the mark of its rule; a partial can.
            found.add_url_rule(path, str(number), rule(Rule.BEARER)(partial(view)))
        return found

    def _enter(self) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or request.cookies:
            raise NotSignedIn
        self.tokens.require(token)
        self.asked.append((request.path, request.headers["Accept"]))
        if self.refused:
            raise PermitEnded
        if self.away:
            self.away -= 1
            raise UpstreamDown(retry_after=1)

    def metadata(self, study: str, series: str) -> Response:
        self._enter()
        count = {fakes.SERIES: fakes.SLICES, fakes.COLOUR: 1, fakes.XRAY: 2, fakes.CLIP: 1}
        if series not in count:
            raise NotFound
        apart = 3.0 if study == fakes.HEAD else 1.5
        system = "1.2.3" if self.one_system else study
        ct = partial(_ct, apart=apart, system=system)
        makers: dict[str, Callable[[str, int], dict[str, Any]]] = {
            fakes.SERIES: ct,
            fakes.COLOUR: _colour,
            fakes.XRAY: _xray,
            fakes.CLIP: _clip,
        }
        # In no order: sorting is the viewer's business.
        return jsonify([makers[series](series, n) for n in reversed(range(1, count[series] + 1))])

    def frame(self, study: str, series: str, sop: str, frame: int) -> Response:
        self._enter()
        self.hold.wait(10)
        number = int(sop.rpartition(".")[2])
        if number in self.broken:
            raise UpstreamDown
        pixels = xray_pixels() if series == fakes.XRAY else ct_pixels(number)
        body = pixels.astype("<u2").tobytes()
        return Response(body[: len(body) // 2] if number in self.short else body, mimetype="application/octet-stream")

    def rendered(self, study: str, series: str, sop: str, frame: int) -> Response:
        self._enter()
        body = io.BytesIO()
        colour = (frame * 20, 0, 0) if series == fakes.CLIP else (200, 40, 40)
        Image.new("RGB", (SIZE, SIZE), colour).save(body, "JPEG", quality=95)
        return Response(body.getvalue(), mimetype="image/jpeg")


def ct_pixels(number: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Four quarters of known Hounsfield values; a white block in the top left corner moves with the slice."""
    half = SIZE // 2
    air, lung, soft, bone = HOUNSFIELD
    quarters = np.block([[np.full((half, half), air), np.full((half, half), lung)],
                         [np.full((half, half), soft), np.full((half, half), bone)]])  # fmt: skip
    quarters[0:4, number % half] = 2000
    return quarters + 1024


def xray_pixels() -> np.ndarray[Any, np.dtype[np.int64]]:
    """Black on the left, white on the right in MONOCHROME1; the bits above the twelve stored ones hold an overlay."""
    left = np.full((SIZE, SIZE // 2), 4095)
    right = np.zeros((SIZE, SIZE // 2), dtype=np.int64)
    return np.hstack([left, right]) | 0xF000


def _dataset(series: str, number: int, values: dict[str, list[Any]]) -> dict[str, Any]:
    common: dict[str, list[Any]] = {
        "00080018": [f"{series}.{number}"],
        "00200013": [number],
        "00280002": [1],
        "00280010": [SIZE],
        "00280011": [SIZE],
        "00280100": [16],
        "00280101": [12],
        "00280102": [11],
        "00280103": [0],
    }
    return {tag: {"vr": "UN", "Value": value} for tag, value in (common | values).items()}


def _ct(series: str, number: int, *, apart: float, system: str) -> dict[str, Any]:
    return _dataset(series, number, {
        "00080060": ["CT"],
        "00280004": ["MONOCHROME2"],
        "00280030": [5, 5],
        "00200037": [1, 0, 0, 0, 1, 0],
        "00200032": [0, 0, number * apart],
        "00200052": [system],
        "00281050": [40],
        "00281051": [400],
        "00281052": [-1024],
        "00281053": [1],
    })  # fmt: skip


def _xray(series: str, number: int) -> dict[str, Any]:
    return _dataset(series, number, {
        "00080060": ["DX"],
        "00280004": ["MONOCHROME1"],
        "00200020": ["L", "F"],
    })  # fmt: skip


def _colour(series: str, number: int) -> dict[str, Any]:
    return _dataset(series, number, {
        "00080060": ["US"],
        "00280002": [3],
        "00280004": ["RGB"],
        "00280100": [8],
        "00280101": [8],
        "00280102": [7],
    })  # fmt: skip


def _clip(series: str, number: int) -> dict[str, Any]:
    """Twelve frames of growing red, a twenty-fifth of a second each."""
    frames = {tag: {"vr": "UN", "Value": value} for tag, value in (("00280008", [FRAMES]), ("00181063", [40]))}
    return _colour(series, number) | frames
