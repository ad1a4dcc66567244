import itertools
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smartapp.dicomweb.core.multipart import Part, content_type, new_boundary, read_parts, write_parts
from smartapp.errors import UpstreamDown, UpstreamMalformed

TYPE = 'multipart/related; type="application/dicom"; boundary=b'
HEAD = b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n"
END = b"\r\n--b--"

pytestmark = [pytest.mark.clause("RFC 2046", "5.1.1"), pytest.mark.threat("D1")]


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """`data` in chunks of `sizes`, taken round and round."""
    at = 0
    for size in itertools.cycle(sizes):
        if at >= len(data):
            return
        yield data[at : at + size]
        at += size


def bodies(chunks: Iterator[bytes], media: str = TYPE) -> list[bytes]:
    return [b"".join(part.chunks) for part in read_parts(chunks, media)]


def refused(data: bytes, media: str = TYPE, sizes: tuple[int, ...] = (1, 7, 100_000)) -> None:
    for size in sizes:
        with pytest.raises(UpstreamMalformed):
            bodies(cut(data, [size]), media)


# Payloads made of the boundary's own letters come closest to being taken for one.
payloads = st.lists(st.binary(max_size=200) | st.text("\r\n-b", max_size=40).map(str.encode), max_size=4)
chunkings = st.lists(st.integers(1, 60), min_size=1, max_size=5)


@given(payloads, chunkings, st.text("ab'", min_size=1, max_size=20))
@example([b"\r\n--", b"\r\n-", b"\r", b"\r\n\r\n--"], [1], "a")
@pytest.mark.clause("PS3.18", "8.6.1.2")
def test_what_is_written_is_read(payload: list[bytes], sizes: list[int], letters: str) -> None:
    boundary = new_boundary() + letters
    parts = [Part({"Content-Type": "application/dicom", "Content-Length": str(len(p))}, iter([p])) for p in payload]
    body = b"".join(write_parts(parts, boundary))
    media = content_type(boundary, "application/dicom")
    read = list(read_parts(cut(body, sizes), media))
    assert [dict(part.headers) for part in read] == [
        {"content-type": "application/dicom", "content-length": str(len(p))} for p in payload
    ]
    assert bodies(cut(body, sizes), media) == payload


@given(payloads.filter(lambda p: not any(b"\r\n--b" in b"\r\n" + x for x in p)), chunkings, st.data())
def test_every_cut_is_seen(payload: list[bytes], sizes: list[int], data: st.DataObject) -> None:
    whole = b"".join(HEAD + p for p in payload) + END
    prefix = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(UpstreamMalformed):
        bodies(cut(prefix, sizes))
    assert bodies(cut(whole, sizes)) == payload


def test_the_reader_of_the_last_part_sees_the_cut_before_its_end() -> None:
    for missing in range(1, len(END) + 1):
        whole = HEAD + b"pixels" + END
        parts = read_parts(iter([whole[:-missing]]), TYPE)
        chunks = next(parts).chunks
        with pytest.raises(UpstreamMalformed):
            for _ in chunks:
                pass
        with pytest.raises(UpstreamMalformed):
            next(chunks)


def test_an_error_of_the_source_passes_and_stays_an_error() -> None:
    def source() -> Iterator[bytes]:
        yield HEAD + b"x" * 100
        raise UpstreamDown

    chunks = next(read_parts(source(), TYPE)).chunks
    with pytest.raises(UpstreamDown):
        list(chunks)
    with pytest.raises(UpstreamMalformed):
        next(chunks)


def test_an_error_of_the_source_after_the_end_passes() -> None:
    def source() -> Iterator[bytes]:
        yield HEAD + b"x" + END
        raise UpstreamDown

    with pytest.raises(UpstreamDown):
        bodies(source())


def test_what_is_left_of_a_part_is_skipped_and_never_seen_as_the_next() -> None:
    whole = HEAD + b"1" * 50 + HEAD + b"2" * 50 + END
    parts = read_parts(cut(whole, [10]), TYPE)
    first = next(parts)
    assert next(first.chunks)
    second = next(parts)
    assert list(first.chunks) == []
    assert b"".join(second.chunks) == b"2" * 50


@pytest.mark.parametrize(
    "media",
    [
        'multipart/related; type="application/dicom"; boundary="b"',
        "multipart/related; boundary=b; type=application/dicom",
        "MULTIPART/Related;Boundary=b",
        "multipart/related; boundary=b;",
    ],
)
def test_ways_to_write_the_boundary(media: str) -> None:
    assert bodies(iter([HEAD[2:] + b"x" + END]), media) == [b"x"]


@pytest.mark.parametrize(
    "media",
    [
        "",
        "application/dicom",
        "multipart/mixed; boundary=b",
        "multipart/related",
        'multipart/related; boundary=""',
        "multipart/related; boundary=b; boundary=c",
        f"multipart/related; boundary={'b' * 71}",
        'multipart/related; boundary="b\r\nx"',
        'multipart/related; boundary="b ',
        'multipart/related; boundary="b "',
    ],
)
def test_types_that_are_refused(media: str) -> None:
    refused(HEAD + b"x" + END, media)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>no</html>", id="html"),
        pytest.param((HEAD + b"x" + END).replace(b"\r\n", b"\n"), id="LF only"),
        pytest.param(HEAD.replace(b"\r\n\r\n", b"\n\n") + b"x" + END, id="LF in headers"),
        pytest.param(b"p" * 1100 + HEAD + b"x" + END, id="preamble"),
        pytest.param(HEAD + b"x" + END + b"e" * 1100, id="epilogue"),
        pytest.param(b"--b\r\n\r\nx" + END, id="no headers"),
        pytest.param(HEAD.replace(b"application/dicom", b"multipart/related; boundary=c") + b"x" + END, id="nested"),
        pytest.param(HEAD[:-2] + b"".join(b"X-%d: y\r\n" % n for n in range(16)) + b"\r\nx" + END, id="17 headers"),
        pytest.param(HEAD[:-2] + b"X: " + b"y" * 8192 + b"\r\n\r\nx" + END, id="long header"),
        pytest.param(HEAD[:-2] + b" folded\r\n\r\nx" + END, id="folded"),
        pytest.param(HEAD[:-2] + b"Content-Type: text/plain\r\n\r\nx" + END, id="two types"),
        pytest.param(HEAD[:-2] + b"Content-Type : x/y\r\n\r\nx" + END, id="space before colon"),
        pytest.param(HEAD[:-2] + b"Content-Length: 2\r\n\r\nx" + END, id="short"),
        pytest.param(HEAD[:-2] + b"Content-Length: 2\r\n\r\nxyz" + END, id="long"),
        pytest.param(HEAD[:-2] + b"Content-Length: -1\r\n\r\nx" + END, id="negative"),
        pytest.param(HEAD[:-2] + b"Content-Length: 99\r\n\r\nx" + HEAD + b"x" + END, id="another part inside"),
        pytest.param(HEAD[:-2] + b"Content-Transfer-Encoding: base64\r\n\r\nx" + END, id="base64"),
        pytest.param(HEAD + b"x\r\n--bc\r\n" + END, id="longer boundary"),
        pytest.param(HEAD + b"x\r\n--b" + b" " * 70 + b"\r\n" + END, id="padding"),
    ],
)
def test_bodies_that_are_refused(body: bytes) -> None:
    refused(body)


def test_what_may_stand_around() -> None:
    body = b"preamble" + HEAD + b"x\r\n--b \t\r\nContent-Type:a/b\r\n\r\n" + END + b"\r\nepilogue"
    assert bodies(cut(body, [3])) == [b"x", b""]
    assert bodies(iter([b"--b--"])) == []


def test_a_part_that_fails_leaves_no_closing_boundary() -> None:
    def broken() -> Iterator[bytes]:
        yield b"some"
        raise UpstreamMalformed("multipart-cut")

    sent: list[bytes] = []
    with pytest.raises(UpstreamMalformed):
        sent.extend(write_parts([Part({"Content-Type": "application/dicom"}, broken())], "b"))
    assert b"".join(sent).endswith(b"\r\n\r\nsome")
    refused(b"".join(sent))
