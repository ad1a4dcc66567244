import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.security.envelope import DataKey, IntegrityError, key_id_of, open_, seal

KEY = DataKey("k1", bytes(range(32)))


@given(st.binary(max_size=2000), st.binary(max_size=50))
def test_what_is_sealed_opens(plain: bytes, aad: bytes) -> None:
    sealed = seal(KEY, plain, aad)
    assert open_(KEY, sealed, aad) == plain
    assert key_id_of(sealed) == "k1"


@pytest.mark.threat("C3")
@pytest.mark.threat("C7")
@given(st.binary(max_size=200), st.data())
def test_any_changed_bit_is_refused(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(seal(KEY, plain, b"aad"))
    position = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[position // 8] ^= 1 << position % 8
    with pytest.raises(IntegrityError):
        open_(KEY, bytes(sealed), b"aad")


@pytest.mark.threat("C3")
@given(st.binary(max_size=200), st.data())
def test_any_other_length_is_refused(plain: bytes, data: st.DataObject) -> None:
    sealed = seal(KEY, plain, b"")
    shorter = data.draw(st.integers(0, len(sealed) - 1))
    for blob in (sealed[:shorter], sealed[shorter + 1 :], sealed + data.draw(st.binary(min_size=1, max_size=40))):
        with pytest.raises(IntegrityError):
            open_(KEY, blob, b"")


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_another_aad_is_refused(aad: bytes, other: bytes) -> None:
    if aad != other:
        with pytest.raises(IntegrityError):
            open_(KEY, seal(KEY, b"x", aad), other)


def test_the_aad_does_not_flow_into_the_key_id() -> None:
    longer = DataKey("k1x", KEY.secret)
    with pytest.raises(IntegrityError):
        open_(longer, seal(KEY, b"x", b"xaad"), b"aad")


@pytest.mark.threat("C6")
def test_a_key_id_edited_to_another_valid_key_is_refused() -> None:
    same_secret = DataKey("k2", KEY.secret)
    sealed = seal(KEY, b"x", b"")
    edited = sealed.replace(b"k1", b"k2", 1)
    for blob in (sealed, edited):
        with pytest.raises(IntegrityError):
            open_(same_secret, blob, b"")
    with pytest.raises(IntegrityError):
        open_(KEY, edited, b"")


@pytest.mark.parametrize("blob", [b"", b"\1", b"\1\0", b"\1\5k", b"\2\1k" + bytes(40), b"\1\1\xff" + bytes(40)])
def test_shapes_that_are_none_of_ours(blob: bytes) -> None:
    with pytest.raises(IntegrityError):
        key_id_of(blob)


def _nonces(count: int) -> list[bytes]:
    return [seal(KEY, b"", b"")[4:16] for _ in range(count)]


@pytest.mark.threat("C1")
def test_forked_workers_never_draw_the_same_nonce() -> None:
    with ProcessPoolExecutor(8, mp_context=get_context("fork")) as pool:
        drawn = [nonce for nonces in pool.map(_nonces, [20_000] * 8) for nonce in nonces]
    assert len(set(drawn)) == len(drawn) == 160_000


@pytest.mark.parametrize("secret", [b"", bytes(16), bytes(33)])
def test_a_key_has_32_bytes(secret: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        DataKey("k1", secret)


@pytest.mark.parametrize("name", ["", "ü", "k" * 256])
def test_a_key_has_a_short_ascii_id(name: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        DataKey(name, os.urandom(32))


def test_a_key_shows_no_secret() -> None:
    assert repr(KEY) == "DataKey(id='k1')"
