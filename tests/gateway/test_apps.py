"""DICOMweb for apps: what a grant does not reach is not there, and what is shown de-identified names nobody."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import product
from typing import Any

import pydicom
import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from smartapp.audit.references import References, row_aad
from smartapp.audit.tables import AuditEventRow
from smartapp.consent.grants.model import GrantState
from smartapp.consent.model import AppPrincipal
from smartapp.errors import PermitEnded
from smartapp.identity.model import PatientKey
from tests.dicomweb_upstream.objects import Made
from tests.fhir_facade.app import App, Clinic, clinic
from tests.fhir_upstream.fake_fhir import fhir
from tests.gateway.app import MULTIPART
from tests.support.databases import SqliteFiles
from tests.threats.composed import BASE

CHEST, PETCT, MR = "/studies/1.2.3", "/studies/1.5", "/studies/1.6"
CT_OF_PETCT, PET_OF_PETCT = f"{PETCT}/series/1.5.2", f"{PETCT}/series/1.5.1"
OCTETS = "application/octet-stream"


@pytest.fixture(scope="module")
def shared(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic(sqlite_files, tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def own(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic(sqlite_files, tmp_path_factory.mktemp("gateway")) as running:
        yield running


def ask(app: App, path: str, accept: str | None = None, method: str = "GET", **headers: str) -> TestResponse:
    sent = {"Authorization": f"Bearer {app.token}", **({"Accept": accept} if accept else {}), **headers}
    return app.client.open(f"/st-elsewhere/dicomweb{path}", method=method, headers=sent, base_url=BASE)


def rows(app: App, path: str) -> list[dict[str, Any]]:
    answer = ask(app, path)
    assert answer.status_code in {200, 204}, answer.text
    return answer.get_json(force=True) if answer.status_code == 200 else []


def values(found: list[dict[str, Any]], tag: str) -> list[Any]:
    return [row[tag]["Value"][0] for row in found]


def instances(answer: TestResponse) -> list[pydicom.Dataset]:
    """The objects of a multipart answer."""
    boundary = answer.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
    parts = answer.data.split(b"--" + boundary)[1:-1]
    return [pydicom.dcmread(io.BytesIO(part.partition(b"\r\n\r\n")[2])) for part in parts]


@pytest.mark.promise("B1")
def test_an_app_sees_what_it_was_allowed(shared: Clinic) -> None:
    app = shared.app()
    assert set(values(rows(app, "/studies"), "0020000D")) >= {"1.2.3", "1.5", "1.6"}
    assert values(rows(app, f"{PETCT}/series"), "0020000E") == ["1.5.1", "1.5.2"]
    assert len(instances(ask(app, PETCT, MULTIPART))) == 2
    assert ask(app, f"{CHEST}/metadata").headers.get("Warning") is None


@pytest.mark.promise("B2")
@pytest.mark.threat("A11")
def test_only_the_series_that_a_grant_reaches_are_there(shared: Clinic) -> None:
    app = shared.app(modalities=frozenset({"CT"}))
    row = next(row for row in rows(app, "/studies?includefield=all") if row["0020000D"]["Value"] == ["1.5"])
    assert row["00080061"]["Value"] == ["CT"]
    assert row["00201206"]["Value"] == [1]
    series = rows(app, f"{PETCT}/series")
    assert values(series, "0020000E") == ["1.5.2"]
    assert values(rows(app, f"{PETCT}/instances"), "00080018") == ["1.5.2.1"]
    told = ask(app, f"{PETCT}/metadata")
    assert [row["00080018"]["Value"] for row in told.get_json(force=True)] == [["1.5.2.1"]]
    assert told.headers["Warning"].startswith("299 ")
    assert b"1.5.1" not in told.data


@pytest.mark.threat("A11")
def test_a_hidden_series_is_as_one_that_never_was(shared: Clinic) -> None:
    app = shared.app(modalities=frozenset({"CT"}))
    rows(app, f"{PETCT}/instances")
    calls = shared.calls()
    answers = {
        (answer.status_code, answer.data.partition(b"\n")[0])
        for series in ("1.5.1", "1.5.77")
        for tail, accept in (
            ("", MULTIPART), ("/metadata", None), ("/instances", None), ("/thumbnail", "image/jpeg"),
            (f"/instances/{series}.1", MULTIPART), (f"/instances/{series}.1/metadata", None),
            (f"/instances/{series}.1/frames/1", OCTETS), (f"/instances/{series}.1/rendered", "image/jpeg"),
            (f"/instances/{series}.1/bulkdata/7FE00010", OCTETS),
        )
        for answer in [ask(app, f"{PETCT}/series/{series}{tail}", accept)]
    }  # fmt: skip
    assert answers == {(404, b"not-found")}
    assert shared.calls() == calls


@pytest.mark.clause("Argonaut SMART Imaging Access", "WADO")
def test_a_study_with_a_hidden_series_is_not_given_as_if_it_were_whole(shared: Clinic) -> None:
    answer = ask(shared.app(modalities=frozenset({"CT"})), PETCT, MULTIPART)
    assert answer.status_code == 403
    assert "Retrievable series: 1.5.2\n" in answer.text
    assert "1.5.1" not in answer.text
    assert len(instances(ask(shared.app(modalities=frozenset({"CT"})), CT_OF_PETCT, MULTIPART))) == 1


@pytest.mark.promise("B2")
@pytest.mark.threat("A24")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_study_outside_the_grant_is_as_none(shared: Clinic, method: str) -> None:
    app = shared.app(chosen=frozenset({"1.2.3"}), future=False)
    rows(app, "/studies")
    calls = shared.calls()
    for study in ("/studies/1.6", "/studies/1.8", "/studies/9.9"):
        for tail in ("", "/metadata", "/series", "/instances"):
            assert ask(app, study + tail, method=method, Range="bytes=0-0").status_code == 404
    assert shared.calls() == calls
    assert values(rows(app, "/studies"), "0020000D") == ["1.2.3"]


@pytest.mark.threat("A4")
@pytest.mark.parametrize("query", ["PatientID=*", "PatientID=", "PatientName=*", "StudyInstanceUID=1.6,1.2.3", "?*"])
def test_no_query_widens_what_a_grant_reaches(shared: Clinic, query: str) -> None:
    app = shared.app(chosen=frozenset({"1.2.3"}), future=False)
    answer = ask(app, f"/studies?{query}&includefield=all")
    assert answer.status_code in {200, 204, 400}
    if answer.status_code == 200:
        assert values(answer.get_json(force=True), "0020000D") == ["1.2.3"]


LETTERS = {"rs": "patient/ImagingStudy.rs", "r": "patient/ImagingStudy.r", "s": "patient/ImagingStudy.s", "": "openid"}
READS = [("", MULTIPART), ("/metadata", None), ("/series/1.2.3.1/instances/1.2.3.1.1/frames/1", OCTETS)]


@pytest.mark.clause("SMART App Launch 2.2", "scopes")
@pytest.mark.parametrize(("letters", "images"), list(product(LETTERS, ["full", "deidentified", "none"])))
def test_searching_needs_s_and_reading_needs_r_and_images(shared: Clinic, letters: str, images: Any) -> None:
    app = shared.app(LETTERS[letters], images=images)
    study = shown(app, "1.2.3") if images == "deidentified" else "1.2.3"
    calls = shared.calls()
    for tail in ("", f"/{study}/series"):
        assert ask(app, f"/studies{tail}").status_code == (200 if "s" in letters else 403)
    may_read = "r" in letters and images != "none"
    for tail, accept in READS:
        address = f"/studies/{study}{tail}"
        if images == "deidentified":
            for uid in ("1.2.3.1.1", "1.2.3.1"):
                address = address.replace(f"/{uid}/", f"/{shown(app, uid)}/")
        assert ask(app, address, accept).status_code == (200 if may_read else 403), address
    if not letters:
        assert shared.calls() == calls
        refused = ask(app, "/studies").headers["WWW-Authenticate"]
        assert 'error="insufficient_scope"' in refused


def shown(app: App, uid: str) -> str:
    """The UID as the grant shows it."""
    from smartapp.consent.aliases import shown_uid

    principal = app.clinic.parts.app_tokens.lookup("st-elsewhere", app.token)
    assert isinstance(principal, AppPrincipal)
    return shown_uid(principal, uid)


FILTERS: list[dict[str, Any]] = [
    {},
    {"modalities": frozenset({"CT"})},
    {"modalities": frozenset({"PT"})},
    {"modalities": frozenset({"MR"})},
    {"chosen": frozenset({"1.5"}), "future": False},
]


@pytest.mark.promise("B2")
@pytest.mark.parametrize("images", ["full", "deidentified"])
@pytest.mark.parametrize("terms", FILTERS)
def test_what_is_listed_is_what_can_be_read(shared: Clinic, terms: dict[str, Any], images: Any) -> None:
    app = shared.app(images=images, **terms)
    everything = [
        (m.study, m.series, m.sop) for m in shared.composed.first.archive.held if m.study in {"1.2.3", "1.5", "1.6"}
    ]
    listed = set()
    for study in values(rows(app, "/studies"), "0020000D"):
        for row in rows(app, f"/studies/{study}/instances?includefield=all"):
            listed.add((study, row["0020000E"]["Value"][0], row["00080018"]["Value"][0]))
    readable = set()
    for place in everything:
        names = tuple(shown(app, uid) for uid in place)
        address = "/studies/{}/series/{}/instances/{}".format(*names)
        status = {ask(app, address, MULTIPART).status_code, ask(app, f"{address}/metadata").status_code}
        assert status in ({200}, {404})
        if status == {200}:
            readable.add(names)
    assert listed == readable


@pytest.mark.promise("B6")
@pytest.mark.clause("PS3.15", "E.1")
def test_a_deidentified_grant_names_nobody_on_any_surface(shared: Clinic) -> None:
    app = shared.app(images="deidentified")
    study, series, sop = (shown(app, uid) for uid in ("1.2.3", "1.2.3.1", "1.2.3.1.1"))
    place = f"/studies/{study}/series/{series}"
    answers = [
        ask(app, "/studies?includefield=all"), ask(app, f"/studies/{study}/series?includefield=all"),
        ask(app, f"/studies/{study}/instances?includefield=all"), ask(app, f"/studies/{study}/metadata"),
        ask(app, f"{place}/metadata"), ask(app, f"{place}/instances/{sop}/metadata"), ask(app, place, MULTIPART),
        ask(app, f"{place}/instances/{sop}", "application/dicom"), ask(app, f"/studies/{study}", MULTIPART),
        ask(app, f"{place}/instances/{sop}/frames/1", OCTETS),
        ask(app, f"{place}/instances/{sop}/rendered", "image/png"),
        ask(app, f"{place}/thumbnail", "image/jpeg"),
    ]  # fmt: skip
    for answer in answers:
        assert answer.status_code == 200, answer.text
        told = answer.data + str(answer.headers).encode()
        for canary in (b"Rivera", b"SE-1001", b"20260917", b"1.2.3.1", b"ST-ELSEWHERE"):
            assert canary not in told
    for found in instances(ask(app, f"/studies/{study}", MULTIPART)):
        assert (found.StudyInstanceUID, found.PatientIdentityRemoved, found.PatientName) == (study, "YES", "")
    (row,) = ask(app, f"{place}/instances/{sop}/metadata").get_json(force=True)
    assert row["00081190"]["Value"] == [f"{BASE}/st-elsewhere/dicomweb{place}/instances/{sop}"]
    assert row["00120062"]["Value"] == ["YES"]


@pytest.mark.promise("B4")
def test_taking_pictures_away_that_named_nobody_names_nobody_either(shared: Clinic) -> None:
    """An app sees less after "allow less", and not for the first time whose the studies are."""
    app = shared.app(images="none", masked=True)
    study = shown(app, "1.2.3")
    assert study != "1.2.3"
    for path in ("/studies?includefield=all", f"/studies/{study}/series?includefield=all"):
        answer = ask(app, path)
        assert answer.status_code == 200
        for canary in (b"Rivera", b"SE-1001", b"20260917", b"1.2.3.1", b"ST-ELSEWHERE"):
            assert canary not in answer.data
    assert study in values(rows(app, "/studies"), "0020000D")
    assert ask(app, f"/studies/{study}/metadata").status_code == 403
    calls = shared.calls()
    assert ask(app, f"{CHEST}/series").status_code == 404
    assert shared.calls() == calls


@pytest.mark.promise("B6")
def test_real_uids_open_nothing_and_matching_tells_nothing(shared: Clinic) -> None:
    app = shared.app(images="deidentified")
    rows(app, "/studies")
    assert rows(app, f"/studies/{shown(app, '1.2.3')}/series")  # what a study that is reached consists of may be asked
    calls = shared.calls()
    for path in (CHEST, f"{CHEST}/series", f"{CHEST}/metadata", f"/studies/{shown(app, '1.2.3')}/series/1.2.3.1"):
        assert ask(app, path).status_code == 404
    assert shared.calls() == calls
    for query in ("PatientID=SE-1001", "StudyDate=20260917", "PatientName=R*", "StudyInstanceUID=1.2.3"):
        assert rows(app, f"/studies?{query}") == []
    assert len(rows(app, f"/studies?StudyInstanceUID={shown(app, '1.2.3')}")) == 1


def test_two_grants_show_two_sets_of_uids(shared: Clinic) -> None:
    one, two = shared.app(images="deidentified"), shared.app(images="deidentified")
    assert set(values(rows(one, "/studies"), "0020000D")) & set(values(rows(two, "/studies"), "0020000D")) == set()


@pytest.mark.promise("B6")
def test_what_may_have_names_in_its_pixels_is_withheld(own: Clinic) -> None:
    own.composed.first.archive.held += [
        Made("1.7.1.1", "1.7.1", "1.7"), Made("1.7.1.2", "1.7.1", "1.7", number=2, burned_in="YES"),
        Made("1.7.2.1", "1.7.2", "1.7", burned_in="YES"), Made("1.7.3.1", "1.7.3", "1.7", burned_in="NO"),
    ]  # fmt: skip
    app = own.app(images="deidentified")
    study, series = shown(app, "1.7"), {at: shown(app, f"1.7.{at}") for at in (1, 2, 3)}
    listed = ask(app, f"/studies/{study}/series")
    assert set(values(listed.get_json(force=True), "0020000E")) == {series[1], series[3]}
    assert "Warning" in listed.headers
    whole = ask(app, f"/studies/{study}", MULTIPART)
    assert (whole.status_code, f"Retrievable series: {series[3]}\n" in whole.text) == (403, True)
    assert series[1] not in whole.text
    assert ask(app, f"/studies/{study}/series/{series[1]}", MULTIPART).status_code == 403
    assert ask(app, f"/studies/{study}/series/{series[2]}", MULTIPART).status_code == 404
    assert ask(app, f"/studies/{study}/series/{series[3]}", MULTIPART).status_code == 200
    for sop, status in (("1.7.1.1", 200), ("1.7.1.2", 404)):
        address = f"/studies/{study}/series/{series[1]}/instances/{shown(app, sop)}"
        for tail, accept in (("", MULTIPART), ("/metadata", None), ("/frames/1", OCTETS), ("/rendered", "image/png")):
            assert ask(app, address + tail, accept).status_code == status, (sop, tail)


@pytest.mark.promise("B5")
@pytest.mark.threat("A20")
@pytest.mark.parametrize("state", list(GrantState))
def test_each_state_of_a_grant(own: Clinic, state: GrantState) -> None:
    app = own.app()
    rows(app, "/studies")
    own.set_state(app, state)
    calls = own.calls()
    dead = {GrantState.ENDED, GrantState.EXPIRED, GrantState.SUSPENDED}
    expected = 200 if state is GrantState.ACTIVE else 401 if state in dead else 403
    for path, accept in (
        ("/studies", None),
        (f"{CHEST}/series", None),
        (f"{CHEST}/metadata", None),
        (CHEST, MULTIPART),
    ):
        answer = ask(app, path, accept)
        assert answer.status_code == expected
        if expected == 403:
            assert answer.text.startswith(f"grant-{state.value}\n")
    if expected != 200:
        assert own.calls() == calls


@pytest.mark.promise("B5")
@pytest.mark.threat("A21")
def test_ending_a_grant_cuts_a_running_download(own: Clinic) -> None:
    size = 1450
    own.composed.first.archive.held += [
        Made(f"1.9.1.{n}", "1.9.1", "1.9", number=n, size=size) for n in range(1, 9)
    ]  # fmt: skip
    app = own.app()
    answer = ask(app, "/studies/1.9", MULTIPART)
    body = answer.iter_encoded()
    taken = 0
    for chunk in body:
        taken += len(chunk)
        if taken > 2**20:
            break
    own.set_state(app, GrantState.ENDED)
    left: list[int] = []
    with pytest.raises(PermitEnded):
        left.extend(map(len, body))
    more = sum(left)
    assert more <= 8 * 2**20
    answer.close()
    assert taken + more < 8 * size * size * 2
    assert ask(app, "/studies").status_code == 401
    cut = aborted(own)
    assert 0 < int(cut["bytes"]) <= taken + more, "what is around the files in the body is not counted"
    assert int(cut["bytes"]) > (taken + more) // 2
    assert int(cut["instances"]) in range(1, 8)


@pytest.mark.promise("E1")
@pytest.mark.threat("F23")
def test_a_download_that_the_app_broke_off_is_written_down(own: Clinic) -> None:
    own.composed.first.archive.held.append(Made("1.9.1.1", "1.9.1", "1.9", size=1450))
    app = own.app()
    answer = ask(app, "/studies/1.9", MULTIPART)
    body = answer.iter_encoded()
    while not next(body):
        pass
    assert "disclosure.aborted" not in own.kinds()
    answer.close()
    assert aborted(own)["instances"] == "1"


@pytest.mark.promise("E1")
def test_a_download_that_came_to_its_end_was_not_aborted(own: Clinic) -> None:
    answer = ask(own.app(), "/studies/1.5", MULTIPART)
    assert answer.data.count(b"DICM") == 2
    answer.close()
    assert "disclosure.aborted" not in own.kinds()


def aborted(clinic_: Clinic) -> dict[str, str]:
    """The one row that says so, opened with the patient's key."""
    ground, patient = clinic_.composed.ground, PatientKey("st-elsewhere", "ana")
    with ground.database.read() as session:
        (row,) = session.scalars(select(AuditEventRow).where(AuditEventRow.kind == "disclosure.aborted")).all()
    refs = References(ground.keyring, ground.datakeys)
    assert row.patient_ref == refs.of_patient(patient)
    return refs.open_(row.detail, row_aad(row.kind, row.at, row.patient_ref, "", row.request_id), patient)


@pytest.mark.threat("O58", "O59")
def test_an_apps_token_is_taken_from_the_header_alone(shared: Clinic) -> None:
    app = shared.app()
    calls = shared.calls()
    client = app.client
    for headers in ([], [("Authorization", f"bearer {app.token}")], [("Authorization", f"Bearer {app.token}")] * 2):
        assert client.get("/st-elsewhere/dicomweb/studies", headers=headers, base_url=BASE).status_code == 401
    address = f"/st-elsewhere/dicomweb/studies?access_token={app.token}"
    assert client.get(address, base_url=BASE).status_code == 401
    sent = [("Authorization", f"Bearer {app.token}")]
    assert client.get("/mercy/dicomweb/studies", headers=sent, base_url=BASE).status_code in {401, 404}
    assert shared.calls() == calls


@pytest.mark.threat("A27")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_is_stored_or_deleted(shared: Clinic, method: str) -> None:
    app = shared.app()
    calls = shared.calls()
    assert ask(app, CHEST, method=method).status_code == 405
    assert shared.calls() == calls


@pytest.mark.promise("B5")
def test_a_dead_way_to_the_hospital_is_said_as_such(own: Clinic) -> None:
    """403, and the grant waits for its person to sign in again; nothing is asked for meanwhile."""
    app = own.app()
    own.composed.first.ehr.server.at("/fhir/Patient/ana", fhir({}, 401))
    for path in ("/studies", CHEST, f"{CHEST}/metadata"):
        answer = ask(app, path, MULTIPART if path == CHEST else None)
        assert (answer.status_code, answer.text.partition("\n")[0]) == (403, "grant-needs-sign-in")
    calls = own.calls()
    assert ask(app, "/studies").status_code == 403
    assert own.calls() == calls
