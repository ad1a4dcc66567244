"""The copy as a person takes it: pressed on the page, saved, opened with other people's programs."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from smartapp.errors import PermitEnded, SmartappError, UpstreamMalformed
from tests.access import trail
from tests.access.house import ANA
from tests.copies.conftest import CHEST_REPORT, PDF
from tests.copies.judges import dcmdump, file_set, seven_zip, unzip
from tests.copies.shop import Shop
from tests.dicomweb_upstream.archive import Asked, Reply, body
from tests.dicomweb_upstream.objects import Made, file_of
from tests.fhir_upstream.fake_fhir import FakeFhir, fhir, report, study
from tests.records.desk import CHEST, OLD, Desk
from tests.records.test_papers import turn_into
from tests.records.test_release import HOUR, strict

FOLDER = "20260917/CT_CHEST"
ONE, PAGE = "/studies/1.2.3/copy", "/studies/1.2.3/keep"
FILES = [f"{FOLDER}/S001/I00001", f"{FOLDER}/S001/I00002", f"{FOLDER}/S002/I00001"]
PASSPHRASE = "four words are fine"
AES = pytest.mark.filterwarnings("ignore:PBKDF2 without:DeprecationWarning")


def saved(response: TestResponse, folder: Path) -> Path:
    """The answer as a browser saves it."""
    assert response.status_code == 200, response.text
    path = folder / "copy.zip"
    path.write_bytes(response.data)
    return path


def unpacked(response: TestResponse, folder: Path) -> Path:
    with zipfile.ZipFile(saved(response, folder)) as archive:
        archive.extractall(folder / "out")
    return folder / "out"


def in_directory(folder: Path) -> int:
    with file_set(folder) as files:
        return len(files)


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return found


def said(shop: Shop, kind: str) -> list[dict[str, str]]:
    house = shop.desk.house
    return [trail.detail(house, row, ANA) for row in trail.rows(house, kind)]


@pytest.mark.promise("A4")
def test_a_copy_is_whole_and_every_program_reads_it(shop: Shop, tmp_path: Path) -> None:
    response = shop.press(ONE)
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == "attachment; filename=imaging-20260917-CT_CHEST.zip"
    out = unpacked(response, tmp_path)
    assert unzip(tmp_path / "copy.zip").returncode == 0
    for made, path in zip(CHEST, FILES, strict=True):
        assert (out / path).read_bytes() == file_of(made)
        assert dcmdump(out / path).returncode == 0
    assert dcmdump(out / "DICOMDIR").returncode == 0


@pytest.mark.promise("A4")
@pytest.mark.clause("PS3.10", "8.6")
def test_the_directory_finds_every_file(shop: Shop, tmp_path: Path) -> None:
    out = unpacked(shop.press(ONE), tmp_path)
    with file_set(out) as files:
        found = {each.SOPInstanceUID: Path(each.path) for each in files}
        assert found == {made.sop: out / path for made, path in zip(CHEST, FILES, strict=True)}
        assert all(each.load().SOPInstanceUID == each.SOPInstanceUID for each in files)
        assert {str(each.ReferencedTransferSyntaxUIDInFile) for each in files} == {"1.2.840.10008.1.2.1"}
        assert files.find_values("PatientID") == ["SE-1001"]


@pytest.mark.promise("A4")
def test_the_manifest_is_of_what_was_written(shop: Shop, tmp_path: Path) -> None:
    out = unpacked(shop.press(ONE), tmp_path)
    listed = manifest(out)
    there = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert {each["path"] for each in listed["files"]} == there - {"manifest.json"}
    for each in listed["files"]:
        data = (out / each["path"]).read_bytes()
        assert (each["size"], each["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    first = next(each for each in listed["files"] if each["path"] == FILES[0])
    assert (first["study_instance_uid"], first["series_instance_uid"], first["sop_instance_uid"]) == (
        "1.2.3",
        "1.2.3.1",
        "1.2.3.1.1",
    )
    assert listed["missing"] == []
    assert listed["studies"][0]["folder"] == FOLDER


@pytest.mark.promise("A4")
def test_the_report_stands_beside_it_ours_and_the_hospitals(shop: Shop, tmp_path: Path) -> None:
    out = unpacked(shop.press(ONE), tmp_path)
    assert (out / FOLDER / "REPORT1.PDF").read_bytes().startswith(b"%PDF-")
    assert (out / FOLDER / "HOSP1_1.PDF").read_bytes() == PDF


@pytest.mark.promise("A4")
def test_who_receives_it_is_told_what_it_is_in_the_readers_language(shop: Shop, tmp_path: Path) -> None:
    out = unpacked(shop.press(ONE, headers={"Accept-Language": "es"}), tmp_path)
    words = (out / "README.txt").read_text("utf-8-sig")
    assert "DICOMDIR" in words
    assert "Ana Canary" in words
    assert "REPORT1.PDF" in words
    assert "septiembre" in words
    assert "S001" in words
    assert "imágenes" in words
    english = unpacked(shop.press(ONE), tmp_path)
    assert "September" in (english / "README.txt").read_text("utf-8-sig")


@pytest.mark.promise("A4")
def test_names_are_the_same_whatever_the_archive_sends_first(shop: Shop, tmp_path: Path) -> None:
    first = manifest(unpacked(shop.press(ONE), tmp_path))
    shop.desk.archive.held.reverse()
    for kept in (tmp_path / "cache").rglob("*"):
        if kept.is_file():
            kept.unlink()
    again = manifest(unpacked(shop.press(ONE), tmp_path))
    pictures = [
        {each["path"]: each["sha256"] for each in one["files"] if "/S0" in each["path"]} for one in (first, again)
    ]
    assert pictures[0] == pictures[1]
    assert len(pictures[0]) == 3


@AES
@pytest.mark.promise("A4")
def test_with_a_passphrase_only_who_knows_it_gets_in(shop: Shop, tmp_path: Path) -> None:
    path = saved(shop.press(ONE, passphrase=PASSPHRASE, again=PASSPHRASE), tmp_path)
    assert seven_zip(path, PASSPHRASE).returncode == 0
    assert seven_zip(path, "four words are bad").returncode != 0
    assert b"SE-1001" not in path.read_bytes()
    out = tmp_path / "out"
    assert seven_zip(path, PASSPHRASE, "x", f"-o{out}").returncode == 0
    assert in_directory(out) == 3
    for each in manifest(out)["files"]:
        assert hashlib.sha256((out / each["path"]).read_bytes()).hexdigest() == each["sha256"]


@AES
@pytest.mark.threat("T18")
def test_a_passphrase_is_kept_nowhere(
    shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("DEBUG")
    saved(shop.press(ONE, passphrase=PASSPHRASE, again=PASSPHRASE), tmp_path)
    assert PASSPHRASE not in caplog.text
    assert [detail["encrypted"] for detail in said(shop, "copy.begun")] == ["true"]
    assert all(PASSPHRASE not in value for detail in said(shop, "copy.begun") for value in detail.values())


@pytest.mark.parametrize(
    ("passphrase", "again", "advice"),
    [
        ("short", "short", "at least 12 characters"),
        (PASSPHRASE, "four words are fime", "not the same"),
        (PASSPHRASE, "", "not the same"),
        ("", PASSPHRASE, "not the same"),
        ("contraseña muy larga", "contraseña muy larga", "without accents"),
    ],
)
def test_a_passphrase_that_will_not_do_gives_advice_and_no_download(
    shop: Shop, passphrase: str, again: str, advice: str
) -> None:
    response = shop.press(ONE, passphrase=passphrase, again=again)
    assert response.status_code == 400
    assert advice in response.text
    assert passphrase not in response.text or not passphrase
    assert said(shop, "copy.begun") == []


def test_the_page_says_how_much_it_will_be(shop: Shop) -> None:
    page = shop.page(PAGE)
    assert page.status_code == 200
    assert "3 DICOM files" in page.text
    assert "less than 1 MB" in page.text


@pytest.mark.promise("A4")
def test_several_studies_come_in_one(shop: Shop, tmp_path: Path) -> None:
    page = shop.page("/keep").text
    assert page.count('name="study"') == 2
    response = shop.press("/copy", study=["1.2.3", "1.4", "1.2.3"])
    assert "imaging-copy-" in response.headers["Content-Disposition"]
    out = unpacked(response, tmp_path)
    with file_set(out) as files:
        assert len(files) == 4
        assert sorted(files.find_values("PatientID")) == ["OLD-77", "SE-1001"]
        assert {OLD.sop, *(made.sop for made in CHEST)} == {each.SOPInstanceUID for each in files}
    assert len({each["folder"] for each in manifest(out)["studies"]}) == 2


def test_to_choose_nothing_is_said_so(shop: Shop) -> None:
    response = shop.press("/copy")
    assert response.status_code == 303
    assert "Choose at least one" in shop.client.get(response.headers["Location"], base_url=shop.desk.base_url).text
    assert said(shop, "copy.begun") == []


@pytest.mark.threat("A11")
@pytest.mark.parametrize("uid", ["1.8", "9.9"])
def test_somebody_elses_study_is_not_there_alone_or_among_others(shop: Shop, uid: str) -> None:
    asked = shop.desk.calls
    shop.page("/keep")
    before = asked()
    for response in (shop.page(f"/studies/{uid}/keep"), shop.press(f"/studies/{uid}/copy")):
        assert response.status_code == 404
    assert shop.press("/copy", study=["1.2.3", uid]).status_code == 404
    assert not any(uid in one.path.split("/") for one in shop.desk.archive.asked[before:])
    assert said(shop, "copy.begun") == []


@pytest.mark.threat("W1")
def test_a_forged_form_gets_nothing(shop: Shop) -> None:
    assert shop.press(ONE, csrf_token="x").status_code == 400
    assert shop.press(ONE, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert shop.client.get(f"/my/{shop.opened.context_id}{ONE}").status_code in {400, 401}


def _instances_cut(closed_after: int) -> Callable[[Asked], Reply | None]:
    """The archive breaks off in the second series, after so many bytes."""

    def script(asked: Asked) -> Reply | None:
        if asked.path.endswith("/series/1.2.3.2"):
            whole = body([file_of(CHEST[2])], closed=True)
            return Reply(content=whole[:closed_after])
        return None

    return script


def _broken(shop: Shop, **fields: Any) -> tuple[bytes, SmartappError | None]:
    """What arrives of a copy, and what ends it."""
    response = shop.press(ONE, **fields)
    assert response.status_code == 200
    arrived, error = bytearray(), None
    try:
        for piece in response.iter_encoded():
            arrived += piece
    except SmartappError as raised:
        error = raised
    finally:
        response.close()
    return bytes(arrived), error


@AES
@pytest.mark.promise("A4")
@pytest.mark.threat("F3")
@pytest.mark.parametrize("passphrase", ["", PASSPHRASE], ids=["plain", "encrypted"])
@pytest.mark.parametrize("cut", [0, 200, 700, -8])
def test_a_broken_copy_is_no_archive_and_is_written_down_as_cut(
    shop: Shop, tmp_path: Path, cut: int, passphrase: str
) -> None:
    shop.desk.archive.script = _instances_cut(cut if cut >= 0 else len(body([file_of(CHEST[2])])) + cut)
    arrived, error = _broken(shop, passphrase=passphrase, again=passphrase)
    assert isinstance(error, UpstreamMalformed)
    (tmp_path / "cut.zip").write_bytes(arrived)
    assert not zipfile.is_zipfile(tmp_path / "cut.zip")
    assert unzip(tmp_path / "cut.zip").returncode != 0
    assert [detail["outcome"] for detail in said(shop, "copy.ended")] == ["aborted"]
    shop.desk.house.audit.flush()
    shop.desk.house.clock.advance(400)
    shop.desk.house.audit.sweep()
    with shop.desk.house.database.read() as session:
        outcomes = session.execute(text("SELECT outcome FROM disclosures WHERE extent = 'images'")).scalars().all()
    assert outcomes == ["aborted"]


def test_after_a_broken_one_the_same_button_gives_a_whole_one(shop: Shop, tmp_path: Path) -> None:
    shop.desk.archive.script = _instances_cut(200)
    _broken(shop)
    shop.desk.archive.script = lambda _asked: None
    assert in_directory(unpacked(shop.press(ONE), tmp_path)) == 3
    assert [detail["outcome"] for detail in said(shop, "copy.ended")] == ["aborted", "complete"]


def test_an_archive_that_fails_at_once_is_a_page_and_no_download(shop: Shop) -> None:
    shop.desk.archive.script = lambda asked: Reply(503) if asked.path.endswith("/series/1.2.3.1") else None
    response = shop.press(ONE)
    assert response.status_code in {502, 503}
    assert "text/html" in response.headers["Content-Type"]
    assert "Content-Disposition" not in response.headers
    assert [detail["outcome"] for detail in said(shop, "copy.ended")] == ["aborted"]


def test_a_series_that_cannot_be_listed_is_not_left_out(shop: Shop) -> None:
    shop.desk.archive.script = lambda asked: Reply(503) if asked.path.endswith("/1.2.3.2/metadata") else None
    assert shop.press(ONE).status_code in {502, 503}
    assert said(shop, "copy.begun") == []


def test_an_instance_that_was_not_listed_breaks_the_copy(shop: Shop) -> None:
    shop.page(PAGE)
    shop.desk.archive.held.append(Made("1.2.3.1.9", number=9))
    response = shop.press(ONE)
    if response.status_code == 200:
        with pytest.raises(SmartappError):
            b"".join(response.iter_encoded())
        response.close()
    assert [detail["outcome"] for detail in said(shop, "copy.ended")] == ["aborted"]


def test_a_document_that_cannot_be_had_is_named_and_the_rest_comes(shop: Shop, ehr: FakeFhir, tmp_path: Path) -> None:
    attached = [{"contentType": "application/pdf", "url": f"{ehr.base}/Binary/b1", "title": "Signed"}]
    ehr.at("DiagnosticReport/r1", report(**(CHEST_REPORT | {"presentedForm": attached})))
    ehr.at("Binary/b1", fhir({}, 500))
    out = unpacked(shop.press(ONE), tmp_path)
    assert manifest(out)["missing"] == [f"{FOLDER}/HOSP1_1.PDF"]
    words = (out / "README.txt").read_text("utf-8-sig")
    assert "could not be had" in words
    assert f"{FOLDER}/HOSP1_1.PDF" in words
    assert in_directory(out) == 3


def test_a_report_that_cannot_be_read_is_said_to_be_missing(shop: Shop, ehr: FakeFhir, tmp_path: Path) -> None:
    ehr.at("DiagnosticReport/r1", fhir({}, 500))
    out = unpacked(shop.press(ONE), tmp_path)
    assert "there may be more" in (out / "README.txt").read_text("utf-8-sig")
    assert manifest(out)["studies"][0]["problems"] != []


def test_a_withdrawn_report_says_so_and_brings_no_documents(shop: Shop, ehr: FakeFhir, tmp_path: Path) -> None:
    ehr.at("DiagnosticReport/r1", report(**(CHEST_REPORT | {"status": "entered-in-error"})))
    out = unpacked(shop.press(ONE), tmp_path)
    assert (out / FOLDER / "REPORT1.PDF").is_file()
    assert not (out / FOLDER / "HOSP1_1.PDF").exists()


def test_a_study_without_pictures_is_a_copy_of_its_report(shop: Shop, ehr: FakeFhir, tmp_path: Path) -> None:
    alone = CHEST_REPORT | {"imagingStudy": [{"reference": "ImagingStudy/i7"}]}
    shop.desk.tell(studies=[study("i7", "1.7", started="2026-01-02")], reports=[report(**alone)])
    ehr.at("DiagnosticReport/r1", report(**alone))
    out = unpacked(shop.press("/studies/1.7/copy"), tmp_path)
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == [
        "HOSP1_1.PDF",
        "README.txt",
        "REPORT1.PDF",
        "manifest.json",
    ]
    assert "No pictures" in (out / "README.txt").read_text("utf-8-sig")


@pytest.mark.threat("D12")
def test_a_program_hidden_before_the_picture_does_not_come_along(shop: Shop, tmp_path: Path) -> None:
    infected = file_of(CHEST[2], b"MZ" + bytes(126))
    shop.desk.archive.script = lambda asked: (
        Reply(content=body([infected])) if asked.path.endswith("/series/1.2.3.2") else None
    )
    out = unpacked(shop.press(ONE), tmp_path)
    assert (out / FILES[2]).read_bytes() == file_of(CHEST[2])


@pytest.mark.promise("B5")
def test_a_copy_ends_where_the_session_does(shop: Shop) -> None:
    response = shop.press(ONE)
    pieces = response.iter_encoded()
    next(pieces)
    house = shop.desk.house
    house.identity.end(shop.opened.session_id, request_id="req-out")
    with pytest.raises(PermitEnded):
        b"".join(pieces)
    response.close()
    assert [detail["outcome"] for detail in said(shop, "copy.ended")] == ["aborted"]


def test_who_goes_away_is_written_down_as_cut(shop: Shop) -> None:
    response = shop.press(ONE)
    next(response.iter_encoded())
    response.close()
    assert [detail["outcome"] for detail in said(shop, "copy.ended")] == ["aborted"]


@pytest.mark.promise("E8")
def test_a_copy_is_one_disclosure_of_images(shop: Shop, tmp_path: Path) -> None:
    out = unpacked(shop.press(ONE), tmp_path)
    with shop.desk.house.database.read() as session:
        extents = session.execute(text("SELECT extent FROM disclosures")).scalars().all()
    assert extents.count("images") == 1
    (ended,) = said(shop, "copy.ended")
    files = manifest(out)["files"]
    assert (ended["outcome"], ended["files"]) == ("complete", str(len(files)))
    assert int(ended["bytes"]) == sum(each["size"] for each in files)


@pytest.mark.promise("A2")
def test_what_is_held_back_is_not_in_the_copy_and_that_is_said(desk: Desk, ehr: FakeFhir, tmp_path: Path) -> None:
    issued = (desk.house.clock.now() - HOUR).isoformat()
    shop = Shop(strict(desk, ehr, issued=issued))
    turn_into(shop.desk, "1.2.840.10008.5.1.4.1.1.104.1", b"%PDF-1.7 secret")
    assert "it is shown from" in shop.page(PAGE).text
    out = unpacked(shop.press(ONE), tmp_path)
    with file_set(out) as files:
        assert {each.SOPInstanceUID for each in files} == {"1.2.3.1.1", "1.2.3.1.2"}
    names = {path.name for path in out.rglob("*") if path.is_file()}
    assert names == {"I00001", "I00002", "DICOMDIR", "README.txt", "manifest.json"}
    words = " ".join((out / "README.txt").read_text("utf-8-sig").split())
    assert "it is shown from" in words
    assert "1 document among the pictures waits" in words
    assert len(manifest(out)["studies"][0]["held_back"]) == 2
    assert ehr.asked("DiagnosticReport/r1") == []
