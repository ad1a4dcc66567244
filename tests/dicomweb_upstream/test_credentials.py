from base64 import b64encode
from pathlib import Path

import pytest

from smartapp.dicomweb.upstream.model import Expected, PatientIds
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.errors import ConfigurationError, UpstreamError, UpstreamRefused
from smartapp.outbound.service import Outbound
from smartapp.settings import Upstreams
from tests.dicomweb_upstream.archive import Archive, Asked, Reply
from tests.dicomweb_upstream.conftest import Alarms, Tokens, provider
from tests.dicomweb_upstream.objects import Made, permit

IDS = PatientIds(("SE-1001",))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    return path


def _reader(archive: Archive, tokens: Tokens, outbound: Outbound, **more: object) -> PacsReader:
    archive.held = [Made("1.2.3.1.1")]
    return PacsReader(provider(archive.url, **more), outbound, tokens, Upstreams(), Alarms())


def _sent(archive: Archive) -> str | None:
    return archive.asked[-1].headers.get("Authorization")


def test_none_sends_none(archive: Archive, tokens: Tokens, outbound: Outbound) -> None:
    _reader(archive, tokens, outbound).series(permit("1.2.3"), IDS, "1.2.3")
    assert _sent(archive) is None


def test_basic_and_bearer_come_from_files(archive: Archive, tokens: Tokens, outbound: Outbound, secret: Path) -> None:
    basic = _reader(archive, tokens, outbound, dicomweb_auth="basic", dicomweb_user="u", dicomweb_password_file=secret)
    basic.series(permit("1.2.3"), IDS, "1.2.3")
    assert _sent(archive) == "Basic " + b64encode(b"u:s3cret").decode()
    bearer = _reader(archive, tokens, outbound, dicomweb_auth="bearer", dicomweb_token_file=secret)
    secret.write_text("n3wer\n")
    list(bearer.metadata(permit("1.2.3"), IDS, "1.2.3", "1.2.3.1"))
    assert _sent(archive) == "Bearer n3wer"


@pytest.mark.parametrize("content", [None, "", "two\nlines"])
def test_a_file_that_cannot_be_used_stops_the_start(
    archive: Archive, tokens: Tokens, outbound: Outbound, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError):
        _reader(archive, tokens, outbound, dicomweb_auth="bearer", dicomweb_token_file=path)


def _unauthorized_but(token: str, archive: Archive) -> None:
    def script(asked: Asked) -> Reply | None:
        return None if asked.headers.get("Authorization") == token else Reply(401)

    archive.script = script


def test_a_rejected_ehr_token_is_dropped_and_the_next_one_tried(
    archive: Archive, tokens: Tokens, outbound: Outbound
) -> None:
    reader = _reader(archive, tokens, outbound, dicomweb_auth="ehr-token")
    _unauthorized_but("Bearer token-2", archive)
    assert len(reader.series(permit("1.2.3"), IDS, "1.2.3")) == 1
    assert tokens.dropped == ["token-1"]


def test_a_stream_too_is_asked_again_with_the_next_token(archive: Archive, tokens: Tokens, outbound: Outbound) -> None:
    reader = _reader(archive, tokens, outbound, dicomweb_auth="ehr-token")
    _unauthorized_but("Bearer token-2", archive)
    expected = Expected(IDS, "1.2.3", {"1.2.3.1.1": "1.2.3.1"})
    assert len([b"".join(found.chunks) for found in reader.retrieve(permit("1.2.3"), expected)]) == 1
    assert tokens.dropped == ["token-1"]
    _unauthorized_but("never", archive)
    with pytest.raises(UpstreamRefused):
        next(reader.retrieve(permit("1.2.3"), expected))


@pytest.mark.threat("S22")
def test_after_two_rejections_the_person_signs_in_again(archive: Archive, tokens: Tokens, outbound: Outbound) -> None:
    reader = _reader(archive, tokens, outbound, dicomweb_auth="ehr-token")
    _unauthorized_but("never", archive)
    with pytest.raises(UpstreamRefused):
        reader.series(permit("1.2.3"), IDS, "1.2.3")
    assert tokens.dropped == ["token-1", "token-2"]
    assert len(archive.asked) == 2


def test_our_own_credential_refused_is_a_fault_of_ours(
    archive: Archive, tokens: Tokens, outbound: Outbound, secret: Path
) -> None:
    reader = _reader(archive, tokens, outbound, dicomweb_auth="bearer", dicomweb_token_file=secret)
    _unauthorized_but("never", archive)
    with pytest.raises(UpstreamError) as refused:
        reader.series(permit("1.2.3"), IDS, "1.2.3")
    assert not isinstance(refused.value, UpstreamRefused)
    assert tokens.dropped == []
