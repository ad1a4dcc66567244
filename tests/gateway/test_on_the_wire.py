"""The gateway under gunicorn: what a client sees of a stream that fails."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from smartapp.dicomweb.core.render import RenderPool
from smartapp.security.keyring import Keyring
from tests.dicomweb_upstream.archive import Archive, Reply, body
from tests.dicomweb_upstream.objects import Made, file_of
from tests.fhir_upstream.fake_fhir import FakeFhir
from tests.gateway.app import MULTIPART
from tests.gateway.served import Served, served
from tests.support.databases import SqliteFiles

BIG = tuple(Made(f"1.2.3.1.{at}", number=at, size=512) for at in range(1, 4))


@pytest.fixture
def gateway(
    sqlite_files: SqliteFiles, keyring: Keyring, tmp_path: Path, ehr: FakeFhir, archive: Archive, pool: RenderPool
) -> Iterator[Served]:
    archive.held = list(BIG)
    with sqlite_files.ready() as url, served(url, tmp_path / "keys", ehr, archive, tmp_path, pool, "1.2.3") as running:
        running.desk.tell()
        yield running


def test_a_whole_study_ends_with_the_last_chunk(gateway: Served) -> None:
    received = gateway.raw("/studies/1.2.3", MULTIPART)
    assert received.startswith(b"HTTP/1.1 200")
    assert b"Transfer-Encoding: chunked" in received
    assert received.endswith(b"\r\n0\r\n\r\n")
    assert b"--\r\n" in received[-50:]


@pytest.mark.threat("F1")
@pytest.mark.threat("F2")
@pytest.mark.threat("F3")
@pytest.mark.parametrize("fault", ["cut", "stall", "foreign", "no-end"])
def test_a_stream_that_fails_is_not_ended_as_if_it_were_whole(gateway: Served, fault: str) -> None:
    """Metadata is asked first; the objects then come wrong, after some were right."""
    foreign = file_of(Made("1.2.3.1.3", patient_id="SE-1002", number=99, size=512))
    whole = body(file_of(made) for made in BIG)
    reply = {
        "cut": Reply(content=whole[: len(whole) * 2 // 3], length=len(whole)),
        "stall": Reply(content=whole[: len(whole) * 2 // 3], length=len(whole), stall=True),
        "foreign": Reply(content=body([file_of(BIG[0]), file_of(BIG[1]), foreign])),
        "no-end": Reply(content=body((file_of(made) for made in BIG), closed=False)),
    }[fault]
    archive = gateway.desk.archive
    archive.script = lambda asked: reply if asked.path.endswith("/series/1.2.3.1") else None
    received = gateway.raw("/studies/1.2.3", MULTIPART)
    assert received.startswith(b"HTTP/1.1 200")
    assert len(received) > 400_000
    assert not received.endswith(b"0\r\n\r\n")
    assert b"--\r\n" not in received[-50:]
    assert b"SE-1002" not in received
    assert "pacs.mismatch" not in gateway.desk.kinds() or fault == "foreign"


@pytest.mark.threat("A9")
@pytest.mark.parametrize(
    "path", ["/studies/1.2.3%2f..%2f1.8", "/studies/1.2.3/../1.8", "/studies/%2e%2e", "/studies//series"]
)
def test_an_address_that_hides_something_is_400_on_the_wire(gateway: Served, path: str) -> None:
    assert gateway.raw(path, "*/*").startswith(b"HTTP/1.1 400")
    assert gateway.desk.calls() == 0
