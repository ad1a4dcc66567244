"""What is measured: codes bought, tokens refreshed, tokens asked about, each so many a second."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.measure import Row, compare
from bench.oauth.sides import THREADS, TOOLKIT, WORKERS, Side, house, toolkit
from tests.conformance.site import site
from tests.support import postgres
from tests.support.databases import PostgresDatabases
from tests.support.parts import require

ROUNDS = 5
EACH = 100


def rows() -> Iterator[Row]:
    """One row of each. Codes are made beforehand, one for each that is redeemed, the warming round included."""
    require("django-oauth-toolkit (make .venv-toolkit)", TOOLKIT if TOOLKIT.is_dir() else None)
    count = EACH * (ROUNDS + 1)
    with (
        tempfile.TemporaryDirectory(prefix="smartapp-bench-") as folder,
        postgres.running(require("PostgreSQL", postgres.binaries()), durable=True) as server,
        site(PostgresDatabases(server), Path(folder), workers=WORKERS, threads=THREADS) as running,
        toolkit(server, Path(folder), count) as others,
    ):
        sides = (house(running, count), others)
        for name, work in (("redeemed", Side.redeem), ("refreshed", Side.refresh), ("introspected", Side.introspect)):
            ours, theirs = partial(work, sides[0], EACH), partial(work, sides[1], EACH)
            yield compare(f"P9 {name}, 8 connections", "1/s", ours, theirs, rounds=ROUNDS)
