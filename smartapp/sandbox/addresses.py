"""Where everything is, once the ports are chosen. App, EHR and PACS have hosts or ports of their own."""

import socket
from dataclasses import dataclass
from functools import cache
from typing import Literal

from smartapp.sandbox.ports import Ports

PacsKind = Literal["embedded", "orthanc"]


@cache
def sample_host() -> str:
    """127.0.0.2 where it can be listened on, as on Linux; else 127.0.0.1."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.2", 0))
        except OSError:
            return "127.0.0.1"
    return "127.0.0.2"


@dataclass(frozen=True)
class Addresses:
    """The addresses of one sandbox; none ends in a slash. The EHR's host differs from the app's so that cookies do."""

    ports: Ports
    hospitals: tuple[str, ...]
    pacs_kind: PacsKind

    @property
    def app(self) -> str:
        """The product's base URL."""
        return f"http://127.0.0.1:{self.ports.app}"

    @property
    def ohif(self) -> str:
        """OHIF's origin: the app's host, another port. The browser sends it the app's cookie, which it ignores."""
        return f"http://127.0.0.1:{self.ports.ohif}"

    @property
    def ehr(self) -> str:
        """The EHR's base URL, all hospitals below it."""
        return f"http://localhost:{self.ports.ehr}"

    @property
    def sample_app(self) -> str:
        """The sample app's base URL: a host of its own where the system has it, so that its cookies are its own."""
        return f"http://{sample_host()}:{self.ports.sample}"

    @property
    def faults(self) -> str:
        """Where faults are set."""
        return f"http://127.0.0.1:{self.ports.faults}"

    @property
    def inbox(self) -> str:
        """Where the mail is read."""
        return f"http://127.0.0.1:{self.ports.inbox}"

    def iss(self, hospital: str) -> str:
        """The FHIR base of a hospital, which is its SMART `iss`."""
        return f"{self.ehr}/{hospital}/fhir"

    def pacs_origin(self, hospital: str) -> str:
        """The origin of a hospital's PACS: Orthanc has a process and a port for each."""
        own = self.hospitals.index(hospital) if self.pacs_kind == "orthanc" else 0
        return f"http://127.0.0.1:{self.ports.pacs[own]}"

    def dicomweb(self, hospital: str) -> str:
        """The DICOMweb root of a hospital's PACS."""
        below = "" if self.pacs_kind == "orthanc" else f"/{hospital}"
        return f"{self.pacs_origin(hospital)}{below}/dicom-web"
