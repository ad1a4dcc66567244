import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from smartapp.dicomweb.core.cache import Cached
from smartapp.dicomweb.core.keys import InstanceKey
from smartapp.dicomweb.core.render import Window
from smartapp.errors import (
    BadInput,
    NotFound,
    PermitEnded,
    Unavailable,
    UpstreamError,
    UpstreamMalformed,
    UpstreamMismatch,
)
from smartapp.records.attributes import Level
from smartapp.records.query import parse_query
from tests.access.house import ANA, BEN
from tests.dicomweb_upstream.archive import Asked, Reply, body
from tests.dicomweb_upstream.objects import Made, dataset, file_of
from tests.records.desk import BENS, CHEST, Desk

ALL = parse_query(Level.STUDY, [])


def _files(desk: Desk, *where: str | None) -> dict[str, bytes]:
    study, series, sop = (*where, None, None)[:3]
    found = desk.records.images.retrieve(desk.principal(), str(study), series, sop, "req")
    return {instance.key.sop: b"".join(instance.chunks) for instance in found}


@contextmanager
def _cached(desk: Desk, key: InstanceKey) -> Iterator[Cached | None]:
    found = desk.cache.reader(key)
    yield found
    if found is not None:
        found.close()


def _is_cached(desk: Desk, key: InstanceKey) -> bool:
    with _cached(desk, key) as found:
        return found is not None


def _outcomes(desk: Desk) -> list[str]:
    desk.house.audit.flush()
    desk.house.clock.advance(400)
    desk.house.audit.sweep()
    with desk.house.database.read() as session:
        return list(session.execute(text("SELECT outcome FROM disclosures")).scalars())


@pytest.mark.promise("E4")
def test_a_study_comes_as_it_is_and_the_second_time_from_the_cache(desk: Desk) -> None:
    expected = {made.sop: file_of(made) for made in CHEST}
    assert _files(desk, "1.2.3") == expected
    asked = desk.calls()
    assert _files(desk, "1.2.3") == expected
    assert _files(desk.restart(), "1.2.3", "1.2.3.2") == {"1.2.3.2.1": expected["1.2.3.2.1"]}
    assert _files(desk, "1.2.3", "1.2.3.1", "1.2.3.1.2") == {"1.2.3.1.2": expected["1.2.3.1.2"]}
    assert desk.calls() == asked
    assert not any(
        made.sop.encode() in path.read_bytes() for path in desk.folder.rglob("*") if path.is_file() for made in CHEST
    )


def test_one_instance_that_the_cache_lost_is_fetched_alone(desk: Desk) -> None:
    desk.archive.held = [Made(f"1.2.3.1.{at}", number=at) for at in range(1, 31)]
    _files(desk, "1.2.3")
    lost = InstanceKey(ANA, "1.2.3", "1.2.3.1", "1.2.3.1.2")
    with _cached(desk, lost) as found:
        assert found is not None
        found._path.unlink()
    asked = desk.calls()
    assert len(_files(desk, "1.2.3")) == 30
    assert [each.path.rpartition("/")[2] for each in desk.archive.asked[asked:]] == ["1.2.3.1.2"]


@pytest.mark.threat("A2")
@pytest.mark.threat("A3")
@pytest.mark.parametrize(
    "where",
    [
        ("1.8",),
        ("9.9",),
        ("1.8", "1.8.1", "1.8.1.1"),
        ("1.2.3", "1.8.1"),
        ("1.2.3", "1.8.1", "1.8.1.1"),
        ("1.2.3", "1.2.3.1", "1.8.1.1"),
        ("1.2.3", "1.2.3.1", "1.2.3.2.1"),
        ("1.2.3", "1.4.1", "1.4.1.1"),
        ("1.4", "1.2.3.1", "1.2.3.1.1"),
    ],
)
def test_what_is_not_in_its_place_is_not_found_and_nobody_is_asked(desk: Desk, where: tuple[str, ...]) -> None:
    _files(desk, "1.2.3")
    _files(desk, "1.4")
    asked = desk.calls()
    with pytest.raises(NotFound):
        _files(desk, *where)
    assert desk.calls() == asked
    assert desk.kinds().count("authz.denied") == 1


@pytest.mark.threat("A9")
@pytest.mark.parametrize("uid", ["1.2.3/../1.8", "..", "1.2.3\0", "", "1.2.3.", "1" * 65, "١.٢"])
def test_an_id_that_is_none_is_refused_before_anything_is_looked_up(desk: Desk, uid: str) -> None:
    with pytest.raises(BadInput):
        _files(desk, uid)
    _files(desk, "1.2.3")
    asked = desk.calls()
    with pytest.raises(BadInput):
        _files(desk, "1.2.3", uid)
    assert desk.calls() == asked


@pytest.mark.threat("A23")
def test_another_patients_request_for_a_cached_study_is_not_found(desk: Desk) -> None:
    _files(desk, "1.2.3")
    ben = desk.house.principal(BEN)
    identifier = [{"system": "urn:mrn", "value": "SE-1002"}]
    desk.ehr.at("Patient/ben", {"resourceType": "Patient", "id": "ben", "identifier": identifier})
    with pytest.raises(NotFound):
        desk.records.images.retrieve(ben, "1.2.3", None, None, "req")
    assert [each.uid for each in desk.records.studies(ben, "req").studies] == ["1.8"]
    assert not _is_cached(desk, InstanceKey(BEN, "1.2.3", "1.2.3.1", "1.2.3.1.1"))


@pytest.mark.threat("A22")
@pytest.mark.threat("F3")
def test_a_foreign_instance_in_a_body_never_leaves_and_is_loud(desk: Desk) -> None:
    desk.records.images.metadata(desk.principal(), "1.2.3", None, None, "req")
    foreign = file_of(Made("1.2.3.1.2", patient_id="SE-1002", number=99))
    desk.archive.script = lambda _asked: Reply(content=body([file_of(CHEST[0]), foreign]))
    sent: list[bytes] = []
    found = desk.records.images.retrieve(desk.principal(), "1.2.3", "1.2.3.1", None, "req")
    with pytest.raises(UpstreamMismatch):
        sent.extend(chunk for instance in found for chunk in instance.chunks)
    assert b"".join(sent) == file_of(CHEST[0])
    assert "pacs.mismatch" in desk.kinds()
    assert not _is_cached(desk, InstanceKey(ANA, "1.2.3", "1.2.3.1", "1.2.3.1.2"))


@pytest.mark.threat("F1")
@pytest.mark.threat("F2")
@pytest.mark.parametrize("stall", [True, False])
def test_of_a_cut_body_nothing_is_kept_but_what_was_whole(desk: Desk, *, stall: bool) -> None:
    desk.records.images.metadata(desk.principal(), "1.2.3", None, None, "req")
    whole = body(file_of(made) for made in CHEST[:2])
    desk.archive.script = lambda _asked: Reply(content=whole[:-300], length=len(whole), stall=stall)
    with pytest.raises(UpstreamError):
        _files(desk, "1.2.3", "1.2.3.1")
    kept = [_is_cached(desk, InstanceKey(ANA, "1.2.3", "1.2.3.1", made.sop)) for made in CHEST[:2]]
    assert kept == [not stall, False]
    assert "aborted" in _outcomes(desk)


def test_after_an_answer_that_does_not_fit_the_listing_is_asked_anew(desk: Desk) -> None:
    desk.records.images.metadata(desk.principal(), "1.2.3", None, None, "req")
    new = Made("1.2.3.1.3", number=4)
    desk.archive.held.append(new)
    with pytest.raises(UpstreamMismatch):
        _files(desk, "1.2.3", "1.2.3.1")
    assert set(_files(desk, "1.2.3", "1.2.3.1")) == {"1.2.3.1.1", "1.2.3.1.2", "1.2.3.1.3"}


@pytest.mark.threat("A21")
def test_a_stream_ends_when_the_session_does(desk: Desk) -> None:
    principal = desk.principal()
    found = desk.records.images.retrieve(principal, "1.2.3", None, None, "req")
    first = next(found)
    assert b"".join(first.chunks)
    desk.house.identity.end(principal.session_id)
    with pytest.raises(PermitEnded):
        next(found)


@pytest.mark.threat("F23")
def test_a_reader_who_leaves_is_written_down(desk: Desk) -> None:
    found = desk.records.images.retrieve(desk.principal(), "1.2.3", None, None, "req")
    next(found)
    found.close()
    assert "aborted" in _outcomes(desk)


def test_searches_and_metadata_name_us_and_come_from_us_the_second_time(desk: Desk) -> None:
    images, searches, principal = desk.records.images, desk.records.searches, desk.principal()

    def everything() -> str:
        study = searches.studies(principal, ALL, "req")
        series = searches.series(principal, "1.2.3", parse_query(Level.SERIES, [("includefield", "all")]), "req")
        instances = searches.instances(principal, "1.2.3", None, parse_query(Level.INSTANCE, []), "req")
        assert (len(study), len(series), len(instances)) == (2, 2, 3)
        one = images.metadata(principal, "1.2.3", "1.2.3.1", "1.2.3.1.2", "req")
        return (
            json.dumps([study, series, instances])
            + images.metadata(principal, "1.2.3", None, None, "req").decode()
            + one.decode()
        )

    said = everything()
    assert "pacs.invalid" not in said
    assert (
        "https://images.example.org/st-elsewhere/dicomweb/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.2/bulkdata/7FE00010"
        in said
    )
    assert said.count('"00081190"') == said.count("https://images.example.org") - said.count("/bulkdata/")
    asked = desk.calls()
    assert everything() == said
    assert desk.calls() == asked


def test_a_search_is_narrowed(desk: Desk) -> None:
    searches, principal = desk.records.searches, desk.principal()
    rows = searches.instances(
        principal, "1.2.3", "1.2.3.1", parse_query(Level.INSTANCE, [("InstanceNumber", "2"), ("Modality", "CT")]), "req"
    )
    assert [row["00080018"]["Value"] for row in rows] == [["1.2.3.1.2"]]
    assert searches.studies(principal, parse_query(Level.STUDY, [("PatientID", "OLD-77")]), "req", only="1.2.3") == []
    with pytest.raises(NotFound):
        searches.instances(principal, "1.2.3", "1.8.1", parse_query(Level.INSTANCE, []), "req")


def test_instances_stand_in_viewing_order(desk: Desk) -> None:
    desk.archive.held = [Made(f"1.2.3.1.{at}", number=10 - at) for at in range(1, 6)]
    found = desk.records.instances(desk.principal(), "1.2.3", "1.2.3.1", "req")
    assert [each.number for each in found] == [5, 6, 7, 8, 9]
    assert {each.frames for each in found} == {1}


def test_frames_are_cut_from_the_checked_instance(desk: Desk) -> None:
    images, principal = desk.records.images, desk.principal()
    for stored in (True, False):
        (frame,) = images.frames(principal, "1.2.3", "1.2.3.1", "1.2.3.1.2", [1], "req", stored=stored)
        assert frame.data == dataset(CHEST[1]).PixelData
        assert frame.transfer_syntax == "1.2.840.10008.1.2.1"
    assert not any("/frames" in asked.path or "/rendered" in asked.path for asked in desk.archive.asked)
    with pytest.raises(NotFound):
        images.frames(principal, "1.2.3", "1.2.3.1", "1.2.3.1.2", [2], "req", stored=True)


def test_dimensions_that_lie_are_not_believed(desk: Desk) -> None:
    """The listing says eight rows, the file has sixteen: it is decoded by its own word."""
    images, principal = desk.records.images, desk.principal()
    images.metadata(principal, "1.2.3", None, None, "req")
    taller = Made("1.2.3.1.1", size=16)
    desk.archive.script = lambda _asked: Reply(content=body([file_of(taller)]))
    (frame,) = images.frames(principal, "1.2.3", "1.2.3.1", "1.2.3.1.1", [1], "req", stored=False)
    assert frame.data == dataset(taller).PixelData


def test_pictures_thumbnails_and_large_values(desk: Desk) -> None:
    images, principal = desk.records.images, desk.principal()
    where = ("1.2.3", "1.2.3.1", "1.2.3.1.1")
    jpeg = images.rendered(
        principal, *where, 1, "req", window=Window(128, 256), viewport=None, quality=80, kind="image/jpeg"
    )
    assert jpeg.startswith(b"\xff\xd8")
    assert desk.records.thumbnail(principal, "1.2.3", "1.2.3.1", None, "req").startswith(b"\xff\xd8")
    asked = desk.calls()
    assert desk.records.thumbnail(principal, "1.2.3", "1.2.3.1", None, "req").startswith(b"\xff\xd8")
    assert desk.calls() == asked
    assert images.bulkdata(principal, *where, 0x7FE00010, "req") == dataset(CHEST[0]).PixelData
    assert images.bulkdata(principal, *where, 0x00100020, "req") == b"SE-1001 "
    with pytest.raises(NotFound):
        images.bulkdata(principal, *where, 0x00420011, "req")


@pytest.mark.threat("F18")
def test_without_room_in_the_cache_everything_still_works(desk: Desk) -> None:
    (desk.folder / "cache").write_text("no folder")
    assert len(_files(desk, "1.2.3")) == 3
    (frame,) = desk.records.images.frames(desk.principal(), "1.2.3", "1.2.3.1", "1.2.3.1.2", [1], "req", stored=True)
    assert frame.data == dataset(CHEST[1]).PixelData


def test_a_study_without_a_series_of_its_own_is_not_made_up(desk: Desk) -> None:
    _files(desk, "1.4")

    def nothing(asked: Asked) -> Reply | None:
        return Reply(204) if asked.path.endswith("/metadata") else None

    desk.archive.script = nothing
    with pytest.raises(UpstreamMalformed):
        desk.restart().records.images.retrieve(desk.principal(), "1.2.3", None, None, "req").__next__()
    assert BENS.study not in {each.uid for each in desk.records.studies(desk.principal(), "req").studies}


@pytest.mark.threat("A21")
def test_a_large_instance_ends_soon_after_the_session_does(desk: Desk) -> None:
    desk.archive.held = [Made("1.2.3.1.1", size=2560)]
    principal = desk.principal()
    found = desk.records.images.retrieve(principal, "1.2.3", None, None, "req")
    chunks = next(found).chunks
    sent = [len(next(chunks))]
    desk.house.identity.end(principal.session_id)
    with pytest.raises(PermitEnded):
        sent.extend(map(len, chunks))
    found.close()
    assert sum(sent) <= 8 * 2**20 < len(file_of(desk.archive.held[0]))


def test_what_is_too_large_for_memory_is_read_from_the_cache_or_not_at_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smartapp.records.instances._IN_MEMORY", 100)
    where = ("1.2.3", "1.2.3.1", "1.2.3.1.2")
    (frame,) = desk.records.images.frames(desk.principal(), *where, [1], "req", stored=True)
    assert frame.data == dataset(CHEST[1]).PixelData
    (desk.folder / "cache").rename(desk.folder / "gone")
    (desk.folder / "cache").write_text("no folder")
    with pytest.raises(Unavailable):
        desk.records.images.frames(desk.principal(), *where, [1], "req", stored=True)
