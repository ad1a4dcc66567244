import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartapp.dicomweb.upstream.model import Expected, PatientIds
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.errors import UpstreamDown, UpstreamError, UpstreamMalformed, UpstreamMismatch, UpstreamSlow
from tests.dicomweb_upstream.archive import Archive, Reply, body
from tests.dicomweb_upstream.conftest import Alarms
from tests.dicomweb_upstream.objects import Made, file_of, permit

MINE = (Made("1.2.3.1.1"), Made("1.2.3.1.2", number=2), Made("1.2.3.2.1", series="1.2.3.2", number=3))
EXPECTED = Expected(PatientIds(("SE-1001",), "ST-ELSEWHERE"), "1.2.3", {made.sop: made.series for made in MINE})
FOREIGN = (
    Made("1.2.3.1.1", patient_id="SE-1002"), Made("1.2.3.1.1", issuer="MERCY"), Made("1.2.3.1.1", study="9.9"),
    Made("1.2.3.1.1", series="1.2.3.2"), Made("9.9.9"), Made("1.2.3.1.1", patient_id=""),
)  # fmt: skip


def _retrieved(reader: PacsReader, series: str | None = None, sop: str | None = None) -> list[bytes]:
    return [b"".join(found.chunks) for found in reader.retrieve(permit("1.2.3"), EXPECTED, series, sop)]


@pytest.mark.clause("PS3.18", "10.4")
def test_a_study_a_series_and_an_instance_come_as_they_are(reader: PacsReader, archive: Archive) -> None:
    archive.held = list(MINE)
    assert _retrieved(reader) == [file_of(made) for made in MINE]
    assert _retrieved(reader, "1.2.3.1") == [file_of(made) for made in MINE[:2]]
    assert _retrieved(reader, "1.2.3.1", "1.2.3.1.2") == [file_of(MINE[1])]
    assert archive.asked[-1].path == "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.2"
    assert archive.asked[-1].headers["Accept"] == 'multipart/related; type="application/dicom"; transfer-syntax=*'
    assert archive.asked[-1].headers["Accept-Encoding"] == "identity"


@pytest.mark.threat("D9")
def test_the_preamble_is_neutral(reader: PacsReader, archive: Archive) -> None:
    archive.script = lambda _asked: Reply(content=body([file_of(MINE[0], b"MZ" * 64)]))
    (file,) = _retrieved(reader, "1.2.3.1", "1.2.3.1.1")
    assert file == file_of(MINE[0])


@pytest.mark.threat("A22")
@pytest.mark.threat("F3")
@pytest.mark.parametrize("foreign", FOREIGN)
def test_not_a_byte_of_a_foreign_instance_is_given(
    reader: PacsReader, archive: Archive, alarms: Alarms, foreign: Made
) -> None:
    archive.script = lambda _asked: Reply(content=body([file_of(MINE[2]), file_of(foreign), file_of(MINE[1])]))
    given_away: list[bytes] = []
    with pytest.raises(UpstreamMismatch):
        given_away.extend(b"".join(found.chunks) for found in reader.retrieve(permit("1.2.3"), EXPECTED))
    assert given_away == [file_of(MINE[2])]
    assert len(alarms.rung) == 1


@pytest.mark.threat("F3")
def test_an_instance_of_another_series_is_not_what_was_asked(reader: PacsReader, archive: Archive) -> None:
    archive.script = lambda _asked: Reply(content=body([file_of(MINE[2])]))
    with pytest.raises(UpstreamMismatch):
        _retrieved(reader, "1.2.3.1")


def test_an_instance_twice_is_refused(reader: PacsReader, archive: Archive) -> None:
    archive.script = lambda _asked: Reply(content=body([file_of(MINE[0]), file_of(MINE[0])]))
    with pytest.raises(UpstreamMismatch):
        _retrieved(reader)


@pytest.mark.threat("F2")
def test_a_study_that_lacks_an_instance_is_not_shown_as_whole(reader: PacsReader, archive: Archive) -> None:
    archive.held = list(MINE[:2])
    with pytest.raises(UpstreamMalformed, match="pacs-incomplete"):
        _retrieved(reader)


WHOLE = body(file_of(made) for made in MINE)


@pytest.mark.threat("F1")
@pytest.mark.threat("F2")
@pytest.mark.threat("F4")
@pytest.mark.threat("D1")
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(content=WHOLE[: len(WHOLE) // 3], length=len(WHOLE), stall=True), UpstreamSlow),
        (Reply(content=WHOLE[: len(WHOLE) // 3], length=len(WHOLE)), UpstreamError),
        (Reply(content=WHOLE[: len(WHOLE) // 3]), UpstreamMalformed),
        (Reply(content=body((file_of(made) for made in MINE), closed=False)), UpstreamMalformed),
        (Reply(content=b"<html>sign in</html>", content_type="text/html"), UpstreamMalformed),
        (Reply(content=file_of(MINE[0]), content_type="application/dicom"), UpstreamMalformed),
        (Reply(content=WHOLE, content_type="multipart/related"), UpstreamMalformed),
        (Reply(content=WHOLE.replace(b"application/dicom", b"text/html")), UpstreamMalformed),
        (Reply(content=body([b"no dicom at all" * 100])), UpstreamMalformed),
        (Reply(204), UpstreamMalformed),
        (Reply(206, WHOLE), UpstreamMalformed),
        (Reply(302, b"", headers={"Location": "http://127.0.0.1:9/x"}), UpstreamMalformed),
        (Reply(404, b""), UpstreamError),
        (Reply(503, b"", headers={"Retry-After": "120"}), UpstreamDown),
    ],
)
def test_a_body_that_is_not_whole_ends_in_an_error(
    reader: PacsReader, archive: Archive, reply: Reply, error: type[UpstreamError]
) -> None:
    archive.script = lambda _asked: reply
    with pytest.raises(error):
        _retrieved(reader)


@pytest.mark.threat("F5")
def test_a_pacs_that_is_gone_is_down(reader: PacsReader, archive: Archive, outbound: object) -> None:
    archive.script = lambda _asked: Reply(503, b"")
    for _ in range(5):
        with pytest.raises(UpstreamDown):
            _retrieved(reader)
    asked = len(archive.asked)
    with pytest.raises(UpstreamDown) as down:
        _retrieved(reader)
    assert len(archive.asked) == asked
    assert down.value.retry_after


_PARTS = st.sampled_from([*MINE, *FOREIGN])


@pytest.mark.threat("A22")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(_PARTS, max_size=5), cut=st.one_of(st.none(), st.integers(0, 4000)), flip=st.integers(0, 600))
def test_whatever_the_pacs_does_only_the_patients_instances_come(
    reader: PacsReader, archive: Archive, parts: list[Made], cut: int | None, flip: int
) -> None:
    """Provenance of bytes: parts swapped, foreign, doubled, cut, or with a header byte changed."""
    files = [file_of(made) for made in parts]
    if files and flip > 128:
        changed = bytearray(files[0])
        changed[flip] ^= 0x10
        files[0] = bytes(changed)
    archive.script = lambda _asked: Reply(content=body(files)[:cut])
    seen: list[str] = []
    try:
        for found in reader.retrieve(permit("1.2.3"), EXPECTED):
            held = b"".join(found.chunks)
            assert held in files
            assert found.identity.patient_id == "SE-1001"
            assert found.identity.study == "1.2.3"
            assert EXPECTED.series_of[found.identity.sop_instance] == found.identity.series
            seen.append(found.identity.sop_instance)
    except UpstreamError:
        return
    assert sorted(seen) == sorted(EXPECTED.series_of)
