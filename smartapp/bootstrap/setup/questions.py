"""Asks an operator. What cannot be meant is asked again; nothing is assumed without being shown."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from smartapp.bootstrap.setup.answers import Answers, Hospital, Site
from smartapp.bootstrap.setup.files import write_private
from smartapp.settings import ClientAuth, DicomwebAuth

_AUTHS = ("private_key_jwt", "client_secret_basic", "client_secret_post", "none")
_PACS_AUTHS = ("none", "basic", "bearer", "ehr-token")


@dataclass(frozen=True)
class Terminal:
    """Where questions are asked: `line` shows a prompt and gives what was typed, `secret` without showing it."""

    line: Callable[[str], str]
    secret: Callable[[str], str]
    say: Callable[[str], None]

    def ask(self, question: str, default: str = "", want: "Want | None" = None) -> str:
        """The answer, never empty: Enter takes the default, where there is one. One that is not wanted so is asked for
        again: at the end of the conversation all the others would be lost with it.
        """
        shown = f"{question} [{default}]: " if default else f"{question}: "
        while True:
            given = self.line(shown).strip() or default
            if given and (want is None or want.fits(given)):
                return given
            self.say(f"  {want.advice}" if given and want else "  An answer is needed.")

    def choose(self, question: str, choices: tuple[str, ...]) -> str:
        """One of the choices; the first by default."""
        while (given := self.ask(f"{question} ({', '.join(choices)})", choices[0])) not in choices:
            self.say(f"  One of: {', '.join(choices)}")
        return given

    def agree(self, question: str) -> bool:
        """Only a whole `yes` agrees."""
        return self.line(f"{question} Type yes to agree: ").strip() == "yes"


@dataclass(frozen=True)
class Want:
    """What an answer has to be, and what to say where it is not."""

    fits: Callable[[str], bool]
    advice: str


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"https", "http"} and bool(parts.hostname) and not set(text) & set(" <>\\")
    except ValueError:
        return False


def _is_zone(text: str) -> bool:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        return False
    return True


_ADDRESS = Want(_is_address, "That is no address: begin with https://")
_ZONE = Want(_is_zone, "That is no time zone: write one as America/Chicago")
_SHORT_NAME = Want(lambda text: re.fullmatch(r"[a-z0-9-]{1,64}", text) is not None, "Only a-z, 0-9 and -")


def ask(terminal: Terminal, folder: Path) -> Answers:
    """Everything that a new installation needs. Secrets that are typed go into files of their own at once."""
    terminal.say("Where people will reach this service, as https://imaging.example.org:")
    site = Site(terminal.ask("Address", want=_ADDRESS), database=_database(terminal))
    hospitals = [_hospital(terminal, folder)]
    while terminal.agree("Another hospital?"):
        hospitals.append(_hospital(terminal, folder))
    if any(hospital.jurisdiction for hospital in hospitals):
        site = replace(site, jurisdictions=_rules(terminal))
    return Answers(site, tuple(hospitals))


def _database(terminal: Terminal) -> str:
    given = terminal.ask("Database (sqlite, or a postgresql+psycopg:// URL)", "sqlite")
    return "" if given == "sqlite" else given


def _hospital(terminal: Terminal, folder: Path) -> Hospital:
    name = terminal.ask("Hospital, as patients know it")
    short = "-".join("".join(sign if sign.isalnum() and sign.isascii() else " " for sign in name.lower()).split())
    hospital_id = terminal.ask("Its short name in addresses, for ever (a-z, 0-9, -)", short[:64], _SHORT_NAME)
    iss = terminal.ask("The EHR's FHIR R4 address (SMART iss)", want=_ADDRESS)
    client_id = terminal.ask("Our client_id there")
    client_auth = cast("ClientAuth", terminal.choose("How we are registered there", _AUTHS))
    secret = None
    if client_auth.startswith("client_secret"):
        secret = _keep(terminal, folder, f"{hospital_id}-client", "The client secret")
    dicomweb = terminal.ask("The PACS's DICOMweb address", want=_ADDRESS)
    dicomweb_auth = cast("DicomwebAuth", terminal.choose("How we sign in at the PACS", _PACS_AUTHS))
    basic, bearer = dicomweb_auth == "basic", dicomweb_auth == "bearer"
    asked = Hospital(
        id=hospital_id,
        name=name,
        iss=iss,
        client_id=client_id,
        client_auth=client_auth,
        client_secret_file=secret,
        dicomweb=dicomweb,
        dicomweb_auth=dicomweb_auth,
        dicomweb_user=terminal.ask("User name at the PACS") if basic else "",
        dicomweb_password_file=_keep(terminal, folder, f"{hospital_id}-pacs", "Password there") if basic else None,
        dicomweb_token_file=_keep(terminal, folder, f"{hospital_id}-pacs-token", "Token there") if bearer else None,
        mrn_systems=tuple(terminal.ask("Identifier systems of the record numbers, usual one first").split()),
        timezone=terminal.ask("Time zone, as America/Chicago", want=_ZONE),
        website=_website(terminal),
    )
    return _as_a_service(terminal, asked)


def _as_a_service(terminal: Terminal, hospital: Hospital) -> Hospital:
    """What the EHR keeps from patients for a while it does not keep from a service: then rules have to be named."""
    terminal.say(
        "  Where the EHR gives patients no refresh token, apps that they allowed go on in their absence only if we are "
        "registered a second time, as a backend service, whose tokens reach everybody's records."
    )
    given = terminal.ask("Our client_id there as a backend service, or none", "none")
    if given == "none":
        return hospital
    rules = terminal.ask("Whose release rules hold there (a jurisdiction, by its id)")
    return replace(hospital, system_client_id=given, jurisdiction=rules)


def _rules(terminal: Terminal) -> Path:
    """Nobody but the hospital can say what its law is: there is no default."""
    while not (
        given := Path(terminal.ask("The file that describes them, made from config/jurisdictions.toml"))
    ).is_file():
        terminal.say("  There is no such file.")
    return given.resolve()


def _website(terminal: Terminal) -> str:
    given = terminal.ask("Its public website, by which apps know it from others (https://…, or none)", "none")
    return "" if given == "none" else given


def _keep(terminal: Terminal, folder: Path, name: str, question: str) -> Path:
    while not (given := terminal.secret(f"{question} (not shown): ").strip()):
        terminal.say("  An answer is needed.")
    return write_private(folder / "secrets" / name, given + "\n")
