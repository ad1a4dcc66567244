"""Pictures of apps: fetched by the worker through the door for strangers' hosts, drawn anew, given out by us."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from smartapp.exchange.developers.logo import SIDE, drawn
from smartapp.identity.apps.logos import Logos
from smartapp.identity.apps.model import App, AppState
from smartapp.jobs.logos import LogosJob
from smartapp.outbound.public import PublicDoor
from smartapp.settings import Upstreams
from tests.tokens.apps.house import PROVIDER, AppHouse, metadata

RED = (200, 10, 10, 255)
DAY = 86_400.0
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 150)) -> bytes:
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", "CANARY-COMMENT")
    made = io.BytesIO()
    drawing = Image.new("RGBA" if kind == "PNG" else "RGB", size, RED if kind == "PNG" else RED[:3])
    drawing.save(made, kind, **({"pnginfo": said} if kind == "PNG" else {"comment": b"CANARY-COMMENT"}))
    return made.getvalue()


@dataclass
class Makers:
    """The host of an app's maker."""

    content: bytes = field(default_factory=picture)
    status: int = 200
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(maker: Makers) -> Iterator[Makers]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            maker.asked.append(self.path)
            self.send_response(maker.status)
            self.send_header("Location", "/elsewhere.png")
            self.send_header("Content-Length", str(len(maker.content)))
            self.end_headers()
            self.wfile.write(maker.content)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    maker.url = f"http://127.0.0.1:{server.server_port}/logo.png"
    try:
        yield maker
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def maker() -> Iterator[Makers]:
    with serving(Makers()) as running:
        yield running


def registered(house: AppHouse, uri: str, state: AppState = AppState.PENDING) -> App:
    return house.apps.register(metadata(logo_uri=uri), provider=PROVIDER, state=state).app


def logos(house: AppHouse) -> Logos:
    return Logos(house.database, house.apps, house.clock)


def job(house: AppHouse, *, loopback: bool = True) -> LogosJob:
    return LogosJob(logos(house), PublicDoor(Upstreams(), house.clock, loopback=loopback), house.clock)


@pytest.mark.promise("B1")
def test_a_picture_is_fetched_once_and_kept_as_we_drew_it(worker: AppHouse, maker: Makers) -> None:
    app = registered(worker, maker.url)
    running = job(worker)
    assert [running.run_once(), running.run_once()] == [1, 0]
    png = logos(worker).find(app)
    assert png is not None
    with Image.open(io.BytesIO(png)) as shown:
        assert (shown.format, shown.size, shown.convert("RGBA").getpixel((5, 5))) == ("PNG", (128, 64), RED)
        assert shown.info == {}
    maker.content = picture(size=(10, 10))
    worker.clock.advance(30 * DAY)
    assert job(worker).run_once() == 0
    assert maker.asked == ["/logo.png"]


def test_two_workers_that_fetch_at_once_do_not_stumble_over_each_other(worker: AppHouse) -> None:
    app = registered(worker, "https://app.example/logo.png")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: logos(worker).keep(app, picture(size=(number + 1, 1))), range(32)))
    assert (logos(worker).find(app) or b"").startswith(b"\x89PNG")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@given(data=st.data())
def test_whatever_a_stranger_serves_the_worker_lives(data: st.DataObject) -> None:
    """A file that is broken in any place is drawn, or nothing."""
    content = bytearray(data.draw(st.sampled_from([picture(size=(20, 10)), picture("JPEG", (20, 10))])))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
        content.append(0)
    made = drawn(bytes(content))
    assert made == b"" or made.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "content",
    [SVG, b"", b"<html>", picture()[:-40], picture("JPEG")[:200], picture("BMP"),
     picture(size=(4000, 1001))],
    ids=["SVG", "nothing", "a page", "half a PNG", "half a JPEG", "BMP", "too many pixels"],
)  # fmt: skip
def test_what_is_no_picture_of_ours_is_not_drawn(content: bytes) -> None:
    assert drawn(content) == b""


def test_a_jpeg_is_drawn_without_what_it_says_besides() -> None:
    made = drawn(picture("JPEG"))
    assert made.startswith(b"\x89PNG")
    assert b"CANARY" not in made
    with Image.open(io.BytesIO(made)) as shown:
        assert max(shown.size) == SIDE


@pytest.mark.parametrize("status", [302, 404, 500])
def test_where_nothing_usable_was_found_it_is_tried_again_the_next_day(
    house: AppHouse, maker: Makers, status: int
) -> None:
    app, maker.status = registered(house, maker.url), status
    assert [job(house).run_once(), job(house).run_once()] == [1, 0]
    assert logos(house).find(app) is None
    assert maker.asked == ["/logo.png"], "no redirect was followed"
    maker.status = 200
    house.clock.advance(DAY)
    assert job(house).run_once() == 1
    assert logos(house).find(app) is not None


@pytest.mark.threat("O55")
def test_a_private_address_is_never_asked(house: AppHouse, maker: Makers) -> None:
    app = registered(house, maker.url)
    assert job(house, loopback=False).run_once() == 1
    assert maker.asked == []
    assert logos(house).find(app) is None


def test_another_address_brings_another_picture_and_never_the_old_one(house: AppHouse, maker: Makers) -> None:
    app = registered(house, maker.url)
    job(house).run_once()
    changed = house.apps.update(app, metadata(logo_uri=f"{maker.url}?2"))
    assert logos(house).find(changed) is None
    assert job(house).run_once() == 1
    assert logos(house).find(changed) is not None


@pytest.mark.parametrize("state", [AppState.REFUSED, AppState.SUSPENDED])
def test_an_app_that_is_stopped_has_no_picture(house: AppHouse, maker: Makers, state: AppState) -> None:
    app = registered(house, maker.url)
    job(house).run_once()
    stopped = house.apps.decide(PROVIDER, app.client_id, state, ground="identity: unknown", by="operator")
    assert logos(house).find(stopped) is None
    assert job(house).run_once() == 0
