import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartapp.security import stream
from smartapp.security.envelope import DataKey, IntegrityError
from smartapp.security.stream import SealedReader, SealedWriter

KEY = DataKey("dk-1", bytes(range(32)))
CHUNK = 32
"""Small chunks in these tests: every boundary is near."""
STORED = CHUNK + 16


@pytest.fixture(autouse=True, scope="module")
def small_chunks() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "CHUNK_BYTES", CHUNK)
        patch.setattr(stream, "_STORED_BYTES", STORED)
        yield


def sealed(plain: bytes, object_id: bytes = b"object", key: DataKey = KEY, step: int = 7) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, key, object_id)
    for start in range(0, len(plain), step):
        writer.write(plain[start : start + step])
    writer.finish()
    return file.getvalue()


def opened(blob: bytes, object_id: bytes = b"object", key: DataKey = KEY) -> bytes:
    return b"".join(SealedReader(io.BytesIO(blob), key, object_id).chunks())


def parts(blob: bytes) -> tuple[bytes, list[bytes]]:
    start = 2 + len(KEY.id) + 32
    return blob[:start], [blob[at : at + STORED] for at in range(start, len(blob), STORED)]


@given(st.binary(max_size=5 * CHUNK), st.integers(1, 3 * CHUNK))
def test_what_is_sealed_opens(plain: bytes, step: int) -> None:
    blob = sealed(plain, step=step)
    reader = SealedReader(io.BytesIO(blob), KEY, b"object")
    assert reader.size == len(plain)
    assert b"".join(reader.chunks()) == plain
    assert len(blob) == 38 + len(plain) + 16 * max(1, -(-len(plain) // CHUNK))


@given(st.binary(max_size=5 * CHUNK), st.integers(0, 6 * CHUNK), st.integers(0, 6 * CHUNK))
def test_any_part_can_be_read(plain: bytes, offset: int, length: int) -> None:
    reader = SealedReader(io.BytesIO(sealed(plain)), KEY, b"object")
    assert reader.read(offset, length) == plain[offset : offset + length]


def test_negative_parts_are_refused() -> None:
    reader = SealedReader(io.BytesIO(sealed(b"abc")), KEY, b"object")
    for offset, length in ((-1, 1), (0, -1)):
        with pytest.raises(ValueError, match="negative"):
            reader.read(offset, length)


@pytest.mark.threat("C3")
@given(st.binary(max_size=3 * CHUNK), st.data())
def test_a_cut_file_releases_nothing(plain: bytes, data: st.DataObject) -> None:
    blob = sealed(plain)
    with pytest.raises(IntegrityError):
        SealedReader(io.BytesIO(blob[: data.draw(st.integers(0, len(blob) - 1))]), KEY, b"object")


@pytest.mark.threat("C3")
@pytest.mark.threat("C7")
@given(st.binary(max_size=3 * CHUNK), st.data())
def test_any_changed_bit_is_refused(plain: bytes, data: st.DataObject) -> None:
    blob = bytearray(sealed(plain))
    position = data.draw(st.integers(0, len(blob) * 8 - 1))
    blob[position // 8] ^= 1 << position % 8
    with pytest.raises(IntegrityError):
        opened(bytes(blob))


@pytest.mark.threat("C4")
@settings(max_examples=300)
@given(st.binary(min_size=1, max_size=4 * CHUNK), st.data())
def test_chunks_in_any_other_order_or_number_are_refused(plain: bytes, data: st.DataObject) -> None:
    head, chunks = parts(sealed(plain))
    other = parts(sealed(plain))[1]
    arranged = data.draw(st.lists(st.sampled_from(chunks + other), max_size=6))
    if arranged != chunks:
        with pytest.raises(IntegrityError):
            opened(head + b"".join(arranged))


@pytest.mark.threat("C4")
def test_what_belongs_to_another_object_or_key_is_refused() -> None:
    blob = sealed(b"x" * 100)
    with pytest.raises(IntegrityError):
        opened(blob, b"another")
    for key in (DataKey("dk-1", bytes(32)), DataKey("dk-2", KEY.secret)):
        with pytest.raises(IntegrityError):
            opened(blob, key=key)


@pytest.mark.threat("C4")
def test_nothing_can_be_appended() -> None:
    blob = sealed(b"x" * 100)
    for extra in (b"x", bytes(STORED), parts(blob)[1][-1]):
        with pytest.raises(IntegrityError):
            opened(blob + extra)


@pytest.mark.threat("C1")
def test_the_same_object_sealed_twice_shares_no_bytes() -> None:
    one, two = sealed(b"x" * 100), sealed(b"x" * 100)
    assert parts(one)[0] != parts(two)[0]
    assert not set(parts(one)[1]) & set(parts(two)[1])
