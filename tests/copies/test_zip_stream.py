import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartapp.exchange.copies.zip_stream import Member, zipped
from tests.copies.judges import seven_zip, unzip

AT = datetime(2026, 9, 17, 12, 30, tzinfo=UTC)
PASSPHRASE = "four words are fine"
# stream-zip leaves the hash of WinZip's key derivation to a default that its library now warns about.
AES = pytest.mark.filterwarnings("ignore:PBKDF2 without:DeprecationWarning")
CONTENTS = st.lists(st.lists(st.binary(max_size=5000), max_size=4), max_size=6)


def _members(contents: list[list[bytes]]) -> list[Member]:
    return [Member(f"D/I{at:05d}", chunks) for at, chunks in enumerate(contents, 1)]


def _failing() -> Iterator[bytes]:
    yield b"so far, so good"
    raise OSError("cut")


def _arrived(pieces: Iterator[bytes]) -> bytes:
    """What came before it broke."""
    written = bytearray()
    try:
        for piece in pieces:
            written += piece
    except OSError as error:
        assert str(error) == "cut"  # noqa: PT017 - what came before it is wanted as well
        return bytes(written)
    raise AssertionError


@given(CONTENTS)
def test_what_goes_in_comes_out(contents: list[list[bytes]]) -> None:
    data = b"".join(zipped(_members(contents), AT, ""))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert [archive.read(name) for name in archive.namelist()] == [b"".join(chunks) for chunks in contents]
        assert all(each.compress_type == zipfile.ZIP_STORED for each in archive.infolist())


def test_others_read_it_too(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"".join(zipped(_members([[b"one", b"two"], []]), AT, "")))
    assert unzip(tmp_path / "a.zip").returncode == 0
    assert seven_zip(tmp_path / "a.zip", "").returncode == 0


@AES
@settings(max_examples=5, deadline=None)
@given(CONTENTS.filter(len))
def test_with_a_passphrase_nothing_but_names_can_be_read(contents: list[list[bytes]]) -> None:
    contents[0].append(b"canary of a patient" * 3)
    data = b"".join(zipped(_members(contents), AT, PASSPHRASE))
    assert b"canary" not in data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert all(each.flag_bits & 1 for each in archive.infolist())


@AES
@pytest.mark.promise("A4")
def test_seven_zip_opens_it_with_the_passphrase_and_with_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"".join(zipped(_members([[b"one" * 50_000, b"two"], [b"x"]]), AT, PASSPHRASE)))
    assert seven_zip(tmp_path / "a.zip", PASSPHRASE).returncode == 0
    listed = seven_zip(tmp_path / "a.zip", PASSPHRASE, "l", "-slt").stdout
    assert listed.count("AES-256") == 2
    assert seven_zip(tmp_path / "a.zip", "four words are bad").returncode != 0


@AES
@pytest.mark.parametrize("passphrase", ["", PASSPHRASE], ids=["plain", "encrypted"])
def test_of_a_broken_one_the_end_is_never_written(passphrase: str, tmp_path: Path) -> None:
    written = _arrived(zipped([Member("I00001", [b"x" * 2**19]), Member("I00002", _failing())], AT, passphrase))
    assert len(written) > 2**18
    assert not zipfile.is_zipfile(io.BytesIO(written))
    assert b"PK\x05\x06" not in written
    (tmp_path / "a.zip").write_bytes(written)
    assert unzip(tmp_path / "a.zip").returncode != 0


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE], ids=["plain", "encrypted"])
@AES
def test_whoever_stops_reading_stops_the_members(passphrase: str) -> None:
    asked = []

    def members() -> Iterator[Member]:
        for at in range(100):
            asked.append(at)
            yield Member(f"I{at:05d}", [b"x" * 2**19])

    pieces = iter(zipped(members(), AT, passphrase))
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]  # both are generators
    assert len(asked) <= 2
