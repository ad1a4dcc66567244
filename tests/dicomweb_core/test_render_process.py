import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import smartapp
from smartapp.dicomweb.core.render import RenderPool
from smartapp.dicomweb.core.render_process import Children
from smartapp.dicomweb.core.render_wire import LENGTHS, pack, unpack
from smartapp.errors import Unavailable, Unrenderable
from smartapp.settings import Rendering
from tests.dicomweb_core.samples import ct, part10

RAW = part10(ct())

pytestmark = pytest.mark.threat("D6")


@pytest.fixture
def start() -> Iterator[Callable[..., RenderPool]]:
    pools: list[RenderPool] = []

    def one(**limits: int) -> RenderPool:
        pools.append(RenderPool(Rendering(**({"processes": 1} | limits))))
        return pools[-1]

    yield one
    for pool in pools:
        pool.close()


def children_of(pool: RenderPool) -> list[psutil.Process]:
    found = [child._process for child in pool._children._all]
    return [psutil.Process(process.pid) for process in found if process is not None]


def test_a_child_that_is_killed_at_work(start: Callable[..., RenderPool]) -> None:
    pool = start()
    pool.thumbnail(RAW)
    (child,) = children_of(pool)
    child.suspend()
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(pool.thumbnail, RAW)
        child.kill()
        with pytest.raises(Unrenderable, match="render-died"):
            waiting.result()
    assert pool.thumbnail(RAW)
    assert children_of(pool) != [child]


def test_a_child_that_died_between_requests_is_replaced(start: Callable[..., RenderPool]) -> None:
    pool = start()
    pool.thumbnail(RAW)
    (child,) = children_of(pool)
    child.kill()
    # The parent collects it, not we; its state changes before it can be collected.
    while child.status() != psutil.STATUS_ZOMBIE:
        os.sched_yield()
    assert pool.thumbnail(RAW)


def test_a_child_that_does_not_answer_is_killed(start: Callable[..., RenderPool]) -> None:
    pool = start(seconds=1)
    pool.thumbnail(RAW)
    (child,) = children_of(pool)
    child.suspend()
    with pytest.raises(Unrenderable, match="render-timeout"):
        pool.thumbnail(part10(ct(SeriesDescription="x" * 60)) + bytes(4 * 2**20))
    assert not child.is_running()
    assert pool.thumbnail(RAW)


@pytest.mark.parametrize(
    "answer", [b"", b"\xff" * 12, LENGTHS.pack(2, 0) + b"[]", LENGTHS.pack(1, 0) + b"{", LENGTHS.pack(2, 2**40) + b"{}"]
)
def test_answers_that_are_none(answer: bytes) -> None:
    at = 0

    def take(size: int) -> bytes:
        nonlocal at
        piece = answer[at : at + size]
        at += size
        if len(piece) < size:
            raise EOFError
        return piece

    with pytest.raises((ValueError, TypeError, EOFError)):
        unpack(take, 2**20)


def test_who_finds_all_busy_waits_for_a_bounded_time(start: Callable[..., RenderPool]) -> None:
    pool = start(seconds=1)
    pool.thumbnail(RAW)
    (child,) = children_of(pool)
    taken = pool._children._idle.get()
    try:
        with pytest.raises(Unavailable, match="render-busy"):
            pool.thumbnail(RAW)
    finally:
        pool._children._idle.put(taken)
    assert pool.thumbnail(RAW)
    assert child.is_running()


def test_many_threads(start: Callable[..., RenderPool]) -> None:
    pool = start(processes=2)
    pictures = [
        part10(ct(ct().pixel_array if number == 0 else None, Rows=16, Columns=number)) for number in range(1, 17)
    ]
    with ThreadPoolExecutor(6) as threads:
        frames = list(threads.map(lambda raw: pool.frames(raw, [1], "explicit-le")[0].columns, pictures * 3))
    assert frames == [*range(1, 17)] * 3
    assert len(children_of(pool)) <= 2


def test_memory_is_limited(start: Callable[..., RenderPool]) -> None:
    pool = start(memory=600 * 2**20)
    with pytest.raises(Unrenderable, match="too-large"):
        pool.thumbnail(bytes(201 * 2**20))
    assert pool.thumbnail(RAW)
    (child,) = children_of(pool)
    assert child.rlimit(psutil.RLIMIT_AS) == (600 * 2**20, 600 * 2**20)
    assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert child.rlimit(psutil.RLIMIT_NOFILE) == (32, 32)
    assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)


def test_a_child_knows_nothing_of_us(start: Callable[..., RenderPool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTAPP_DATABASE_URL", "postgresql://secret")
    pool = start()
    pool.thumbnail(RAW)
    (child,) = children_of(pool)
    assert set(child.environ()) <= {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "OPENBLAS_NUM_THREADS", "LC_ALL"}
    assert [file.path for file in child.open_files() if not file.path.startswith("/dev/")] == []


def test_close_ends_all(start: Callable[..., RenderPool]) -> None:
    pool = start(processes=2)
    pool.thumbnail(RAW)
    (child,) = children_of(pool)
    child.suspend()
    asked = threading.Event()

    def ask() -> None:
        asked.set()
        with contextlib.suppress(Unrenderable, Unavailable):  # or it was just in time
            pool.thumbnail(RAW)

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ask)
        asked.wait()
        pool.close()
        waiting.result()
    assert not child.is_running()
    assert children_of(pool) == []
    with pytest.raises(Unavailable):
        pool.thumbnail(RAW)


def test_children_end_with_their_parent() -> None:
    script = (
        "import sys;"
        "from smartapp.dicomweb.core.render import RenderPool;from smartapp.settings import Rendering;"
        "from tests.dicomweb_core.samples import ct, part10;"
        "pool = RenderPool(Rendering(processes=1)); pool.thumbnail(part10(ct()));"
        "print(pool._children._all[0]._process.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(smartapp.__file__).parents[1],
    )
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs([child], timeout=20)
    assert (len(gone), alive) == (1, [])


def test_pack_does_not_copy() -> None:
    payload = bytes(10)
    assert pack({"a": 1}, payload)[1] is payload


def test_a_pool_that_was_never_asked_has_no_children() -> None:
    children = Children(Rendering(processes=2))
    assert [child._process for child in children._all] == [None, None]
    children.close()
