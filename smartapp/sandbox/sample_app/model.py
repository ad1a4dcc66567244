"""What the app is told, and what it remembers of a connection. Nothing is written to disk."""

import json
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Registration:
    """The app as one server knows it: `fhir` is the server's base."""

    fhir: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Config:
    """Where the app is, and the servers that it is registered with: it talks to no other."""

    base: str
    registrations: tuple[Registration, ...]

    def registration(self, fhir: str) -> Registration | None:
        """The registration at this FHIR base."""
        return next((each for each in self.registrations if each.fhir == fhir.rstrip("/")), None)


@dataclass(frozen=True)
class Pending:
    """A request that went to a server, until it comes back."""

    registration: Registration
    verifier: str = field(repr=False)
    endpoints: dict[str, Any]


@dataclass
class Visitor:
    """One browser. `token` is the last token response."""

    pending: dict[str, Pending] = field(default_factory=dict)
    registration: Registration | None = None
    endpoints: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict, repr=False)


class Visitors:
    """The browsers, by the value of their cookie. Safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, Visitor] = {}

    def of(self, cookie: str | None) -> tuple[str, Visitor]:
        """The visitor of this cookie; a new one with a new cookie for any that is not known."""
        with self._lock:
            if cookie in self._found:
                return cookie, self._found[cookie]
            fresh = secrets.token_urlsafe(32)
            self._found[fresh] = Visitor()
            return fresh, self._found[fresh]


def read_config(path: Path) -> Config:
    """The file that the sandbox writes."""
    said = json.loads(path.read_text())
    return Config(said["base"], tuple(Registration(**each) for each in said["registrations"]))
