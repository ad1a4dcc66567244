"""The doctor, before hospitals that answer rightly and wrongly."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from smartapp.bootstrap.diagnosis import diagnose
from smartapp.clock import SystemClock
from smartapp.outbound.certificates import certificate_of
from smartapp.outbound.findings import Finding
from smartapp.security.keyring import Keyring
from smartapp.settings import Brand, Database, Keys, Mail, Ohif, Portal, Provider, Server, Settings, Storage
from smartapp.settings.loosened import loosened
from smartapp.tokens import signing_files
from tests.dicomweb_upstream.archive import Reply
from tests.launch.house import ShiftedClock, settings
from tests.launch.server import said
from tests.mail.post_office import free_port, post_office
from tests.ohif.site import unpacked
from tests.support.certificates import authority
from tests.support.databases import SqliteFiles
from tests.threats.hospital import Hospital, hospital

STATEMENT = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "rest": [
        {"mode": "server", "resource": [{"type": each} for each in ("Patient", "ImagingStudy", "DiagnosticReport")]}
    ],
}
OFFERED = {
    "scopes_supported": [
        "openid",
        "fhirUser",
        "offline_access",
        "patient/ImagingStudy.rs",
        "patient/DiagnosticReport.rs",
    ],
    "capabilities": ["launch-ehr", "launch-standalone", "sso-openid-connect", "context-ehr-patient"],
}


@pytest.fixture
def place() -> Iterator[Hospital]:
    with hospital("st-elsewhere", "ISSUER") as running:
        running.ehr.metadata |= OFFERED
        running.ehr.server.at("/fhir/metadata", lambda _: said(STATEMENT))
        yield running


@pytest.fixture
def installed(place: Hospital, sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[Settings]:
    Keyring.create(tmp_path / "keys")
    signing_files.rotate(tmp_path / "keys", SystemClock().now())
    with sqlite_files.ready() as url:
        yield settings(
            place.provider(),
            database=Database(url),
            keys=Keys(tmp_path / "keys"),
            storage=Storage(tmp_path / "cache", cache_max_bytes=1),
        )


def look(chosen: Settings, **changed: Any) -> dict[str, Finding]:
    return {found.name: found for found in diagnose(replace(chosen, **changed))}


def failures(found: dict[str, Finding]) -> dict[str, str]:
    return {each.name: each.sentence for each in found.values() if each.state == "fails"}


def with_provider(chosen: Settings, **changed: Any) -> dict[str, Any]:
    return {"providers": (replace(chosen.providers[0], **changed),)}


def test_where_all_is_well_nothing_fails(installed: Settings, place: Hospital) -> None:
    with post_office() as office:
        found = look(installed, mail=Mail("127.0.0.1", office.port, "none", "a@b.example"))
    assert failures(found) == {}
    for name in ("keys", "database", "outbox", "cache", "mail", "EHR of st-elsewhere", "PACS of st-elsewhere",
                 "scopes at st-elsewhere", "capabilities at st-elsewhere", "FHIR of st-elsewhere",
                 "clock of st-elsewhere", "retrieval at the PACS of st-elsewhere"):  # fmt: skip
        assert found[name].state == "works", found[name]
    assert any(name.startswith("loosened: ") for name in found)


def test_it_asks_for_nobodys_data(installed: Settings, place: Hospital) -> None:
    look(installed)
    asked = {each.path for each in place.ehr.server.log}
    assert asked <= {"/fhir/.well-known/smart-configuration", "/auth/.well-known/openid-configuration", "/auth/keys",
                     "/fhir/metadata"}  # fmt: skip
    assert {each.path.rsplit("/studies", 1)[1] for each in place.archive.asked} == {"", "/2.25.0", "/2.25.0/metadata"}
    assert all(each.query.get("StudyInstanceUID", ["2.25.0"]) == ["2.25.0"] for each in place.archive.asked)


@pytest.mark.threat("S4")
@pytest.mark.parametrize(
    ("spoilt", "name", "says"),
    [
        ({"code_challenge_methods_supported": ["plain"]}, "EHR of st-elsewhere", "S256"),
        ({"token_endpoint": "https://elsewhere.example/token"}, "EHR of st-elsewhere", "https://elsewhere.example"),
        ({"issuer": None}, "EHR of st-elsewhere", "issuer"),
    ],
)
def test_an_ehr_that_a_launch_would_refuse_fails(
    installed: Settings, place: Hospital, spoilt: dict[str, Any], name: str, says: str
) -> None:
    place.ehr.metadata |= spoilt
    assert says in failures(look(installed))[name]


def test_what_the_ehr_does_not_offer_is_named(installed: Settings, place: Hospital) -> None:
    place.ehr.metadata |= {"scopes_supported": ["openid", "fhirUser"], "capabilities": "none\x1b[2J"}
    found = look(installed)
    assert found["scopes at st-elsewhere"].state == "look"
    assert "patient/ImagingStudy.rs" in found["scopes at st-elsewhere"].sentence
    assert "launch-ehr" in found["capabilities at st-elsewhere"].sentence
    place.ehr.metadata["token_endpoint_auth_methods_supported"] = ["private_key_jwt\x1b[2J"]
    secret = installed.keys.dir.parent / "secret"
    secret.write_text("a real secret")
    found = look(installed, **with_provider(installed, client_auth="client_secret_basic", client_secret_file=secret))
    assert found["client authentication at st-elsewhere"].state == "fails"
    assert all(each.sentence.isprintable() for each in found.values())


@pytest.mark.parametrize(
    ("offered", "state", "says"),
    [
        (["openid", "fhirUser", "launch/patient", "offline_access", "patient/*.cruds"], "works", "are offered"),
        (["openid", "fhirUser", "launch/patient", "offline_access", "patient/*.r", "patient/*.s"], "works", "offered"),
        (["openid", "fhirUser", "launch/patient", "offline_access", "patient/*.read"], "works", "are offered"),
        (["openid", "fhirUser", "launch/patient", "offline_access", "user/*.cruds"], "look", "patient/ImagingStudy.rs"),
        (["openid", "fhirUser", "launch/patient", "offline_access", "patient/*.r"], "look", "patient/ImagingStudy.rs"),
        (["patient/*.rs?status=final", {"a": 1}], "look", "patient/ImagingStudy.rs"),
        (None, "look", "a sign-in will tell"),
    ],
)
def test_scopes_are_offered_also_by_wider_ones(
    installed: Settings, place: Hospital, offered: list[Any] | None, state: str, says: str
) -> None:
    place.ehr.metadata["scopes_supported"] = offered
    found = look(installed)["scopes at st-elsewhere"]
    assert (found.state, says in found.sentence) == (state, True), found.sentence


@pytest.mark.parametrize(
    ("version", "types", "state", "says"),
    [
        ("5.0.0", ["Patient", "DiagnosticReport"], "fails", "R4"),
        ("4.0.1", ["Patient"], "fails", "DiagnosticReport"),
        ("4.0.1", ["Patient", "DiagnosticReport"], "works", "record numbers"),
    ],
)
def test_the_fhir_server_is_read(
    installed: Settings, place: Hospital, version: str, types: list[str], state: str, says: str
) -> None:
    statement = {"fhirVersion": version, "rest": [{"resource": [{"type": each} for each in types]}]}
    place.ehr.server.at("/fhir/metadata", lambda _: said(statement))
    found = look(installed)["FHIR of st-elsewhere"]
    assert found.state == state
    assert says in found.sentence


@pytest.mark.threat("F20")
@pytest.mark.parametrize(("seconds", "state"), [(0, "works"), (30, "look"), (300, "fails")])
def test_a_clock_that_differs_is_told(installed: Settings, seconds: int, state: str) -> None:
    clock = ShiftedClock()
    clock.advance(seconds)
    found = {each.name: each for each in diagnose(installed, clock=clock)}
    assert found["clock of st-elsewhere"].state == state


@pytest.mark.parametrize(
    ("status", "name", "says"),
    [(401, "PACS of st-elsewhere", "credential"), (404, "PACS of st-elsewhere", "DICOMweb root"),
     (503, "PACS of st-elsewhere", "DICOMweb root")],
)  # fmt: skip
def test_a_pacs_that_does_not_answer_a_search_fails(
    installed: Settings, place: Hospital, status: int, name: str, says: str
) -> None:
    place.archive.script = lambda _asked: Reply(status)
    assert says in failures(look(installed))[name]


def test_a_wrong_password_is_told(installed: Settings, place: Hospital) -> None:
    password = installed.keys.dir.parent / "password"
    password.write_text("wrong")
    place.archive.script = lambda asked: Reply(401) if "Authorization" in asked.headers else None
    changed = with_provider(installed, dicomweb_auth="basic", dicomweb_user="u", dicomweb_password_file=password)
    told = failures(look(installed, **changed))["PACS of st-elsewhere"]
    assert "dicomweb_password_file" in told
    assert "wrong" not in told


def test_a_pacs_that_does_not_know_our_accept_fails(installed: Settings, place: Hospital) -> None:
    place.archive.script = lambda asked: Reply(406) if asked.path.endswith("/2.25.0") else None
    assert "transfer-syntax=*" in failures(look(installed))["retrieval at the PACS of st-elsewhere"]


def test_hospitals_that_are_not_there_fail(installed: Settings) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    changed = with_provider(installed, iss=f"{away}/fhir", trusted_origins=(away,), dicomweb=f"{away}/dicomweb")
    assert {"EHR of st-elsewhere", "discovery of st-elsewhere", "PACS of st-elsewhere"} <= set(
        failures(look(installed, **changed))
    )


def test_what_is_ours_is_looked_at(installed: Settings, sqlite_files: SqliteFiles, tmp_path: Path) -> None:
    with sqlite_files.empty() as url:
        assert "db upgrade" in failures(look(installed, database=Database(url)))["database"]
    full = look(installed, storage=Storage(tmp_path / "not" / "yet", cache_max_bytes=2**62))["cache"]
    assert (full.state, "cache_max_bytes" in full.sentence) == ("look", True)
    mail = Mail("127.0.0.1", free_port(), "none", "a@b.example")
    assert "smtp_host" in failures(look(installed, mail=mail))["mail"]
    assert look(installed)["mail"].state == "look"


@pytest.mark.threat("F12")
def test_certificates_are_read(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ca = authority(tmp_path, now + timedelta(days=100))
    for days, state in ((90, "works"), (5, "look")):
        with tls_server(ca.server_file("127.0.0.1", now + timedelta(days=days))) as origin:
            found = certificate_of(origin, ca.ca_file, SystemClock())
            assert found is not None
            assert (found.state, "days" in found.sentence) == (state, True)
            unknown = certificate_of(origin, None, SystemClock())
            assert unknown is not None
            assert (unknown.state, "ca_file" in unknown.sentence) == ("fails", True)
    assert certificate_of("http://127.0.0.1:1", None, SystemClock()) is None
    away = certificate_of(f"https://127.0.0.1:{free_port()}", None, SystemClock())
    assert away is not None
    assert away.state == "fails"


@contextmanager
def tls_server(pem: Path) -> Iterator[str]:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_args: Any) -> None:
            """A client that leaves after the handshake is what is tested."""

    with Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_is_looser_than_it_comes_is_listed(installed: Settings) -> None:
    strict = replace(installed, environment="production", server=Server("https://a.example"))
    provider: Provider = replace(strict.providers[0], client_auth="private_key_jwt", dicomweb_auth="basic")
    assert loosened(replace(strict, providers=(provider,))) == []
    loose = [
        setting for setting, _ in loosened(replace(installed, server=Server("https://a.example", host="10.0.0.5")))
    ]
    assert any("host" in each for each in loose)
    assert any("sandbox" in each for each in loose)
    assert any("client_auth" in each for each in loose)


def test_ohif_is_looked_at_where_there_is_one(installed: Settings, place: Hospital, tmp_path: Path) -> None:
    assert "OHIF" not in look(installed)
    absent = Ohif(f"http://127.0.0.1:{free_port()}", tmp_path / "viewer")
    assert "run `make ohif`" in failures(look(installed, ohif=absent))["OHIF"]
    absent.dir.mkdir()
    (absent.dir / "index.html").write_text('<script src="/app-config.js"></script>')
    assert "does not know" in failures(look(installed, ohif=absent))["OHIF"]


def test_ohifs_address_is_asked(installed: Settings, place: Hospital, tmp_path: Path) -> None:
    absent = Ohif(f"http://127.0.0.1:{free_port()}", unpacked(tmp_path / "viewer"))
    assert "smartapp ohif" in look(installed, ohif=absent)["OHIF"].sentence
    place.ehr.server.at("/healthz", said({"status": "ok"}))
    assert look(installed, ohif=replace(absent, base_url=place.ehr.origin))["OHIF"].state == "works"


@pytest.mark.clause("SMART 2.2 server", "402")
def test_how_the_hospital_is_known_is_looked_at(installed: Settings, place: Hospital) -> None:
    name, logo = "brand of st-elsewhere", f"{place.ehr.origin}/logo"
    assert (look(installed)[name].state, "[provider.brand]" in look(installed)[name].sentence) == ("look", True)
    brand = Brand(website="https://www.example.org", logos=(logo,))
    for kind, state in (("image/svg+xml", "works"), ("text/html", "fails")):
        place.ehr.server.at("/logo", said("<svg/>", media=kind))
        found = look(installed, **with_provider(installed, brand=brand))
        assert (found[name].state, found["logo at st-elsewhere"].state) == ("works", state)
    away = replace(brand, logos=(), portal=(Portal(name="P", logos=(f"http://127.0.0.1:{free_port()}/logo",)),))
    found = look(installed, **with_provider(installed, brand=away))
    assert (found["logo at st-elsewhere"].state, "reach" in found["logo at st-elsewhere"].sentence) == ("look", True)


@pytest.mark.promise("B5")
@pytest.mark.parametrize(
    ("consent", "offered", "state"),
    [
        ("none", None, "look"),
        ("read", None, "fails"),
        ("read", {"type": "Consent"}, "look"),
        ("read", {"type": "Consent", "interaction": [{"code": "read"}]}, "fails"),
        ("read", {"type": "Consent", "interaction": [{"code": "search-type"}]}, "works"),
        ("write", {"type": "Consent", "interaction": "search-type"}, "look"),
    ],
)
def test_it_says_whether_the_consents_on_file_can_be_read(
    place: Hospital, installed: Settings, consent: Any, offered: Any, state: str
) -> None:
    rest = [{"mode": "server", "resource": [*STATEMENT["rest"][0]["resource"], *([offered] if offered else [])]}]  # type: ignore[index]  # as above
    place.ehr.server.at("/fhir/metadata", lambda _: said({**STATEMENT, "rest": rest}))
    [provider] = installed.providers
    found = look(installed, providers=(replace(provider, consent=consent),))["Consent at st-elsewhere"]
    assert (found.state, bool(found.sentence)) == (state, True)
