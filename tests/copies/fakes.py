# ruff: noqa: ARG002 - a stand-in takes what the part takes
"""A stand-in for the copies, for tests of the portal that look elsewhere."""

from collections.abc import Iterator
from typing import Any

from smartapp.exchange.copies.progress import Progress
from smartapp.exchange.copies.service import Copy, Estimate, Order
from smartapp.identity.model import Principal
from smartapp.records.model import StudyPage


class FakeCopies:
    """Every copy is three bytes."""

    def estimate(self, principal: Principal, page: StudyPage, request_id: str) -> Estimate:
        return Estimate(300, 315_000_000, 0)

    def progress(self, principal: Principal, place: str) -> Progress | None:
        return None

    def make(self, principal: Principal, order: Order, request_id: str) -> Copy:
        return Copy("imaging.zip", (piece for piece in self._pieces()))

    def _pieces(self) -> Iterator[Any]:
        yield b"zip"
