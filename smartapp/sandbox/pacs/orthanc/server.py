"""One Orthanc: its configuration, its start, and the check that it is ours."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import requests

from smartapp.sandbox.pacs.orthanc.installation import Installation
from smartapp.sandbox.ports import PortTaken, is_free
from smartapp.sandbox.processes import Child, start, wait_until

_JPEG2000 = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 92, 93))
_TIMEOUT = 30.0


@dataclass(frozen=True)
class Orthanc:
    """A server that is to run: `name` is what `/system` must say before anybody writes to it."""

    name: str
    port: int
    user: str
    password: str = field(repr=False)

    @property
    def base(self) -> str:
        """The address without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def dicomweb(self) -> str:
        """The DICOMweb root."""
        return f"{self.base}/dicom-web"

    @property
    def auth(self) -> tuple[str, str]:
        """User and password for HTTP Basic."""
        return self.user, self.password

    def is_ours(self) -> bool:
        """Whether the server at our port lets us in and carries our name."""
        answer = requests.get(f"{self.base}/system", auth=self.auth, timeout=_TIMEOUT)
        return answer.status_code == 200 and answer.json().get("Name") == self.name

    def count_instances(self) -> int:
        """How many instances it holds."""
        answer = requests.get(f"{self.base}/statistics", auth=self.auth, timeout=_TIMEOUT)
        answer.raise_for_status()
        return int(answer.json()["CountInstances"])


def start_orthanc(installation: Installation, orthanc: Orthanc, storage: Path, folder: Path) -> Child:
    """Starts Orthanc over `storage` and returns when it answers as ours; its files go to `folder`.

    Raises PortTaken if somebody listens there already, StartError if it ends or does not answer.
    """
    if not is_free(orthanc.port):
        raise PortTaken(f"port {orthanc.port} is in use")
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "orthanc.json"
    configuration.touch(mode=0o600)
    configuration.write_text(json.dumps(_configuration(installation, orthanc, storage), indent=1))
    child = start(
        f"Orthanc {orthanc.name}",
        [str(installation.program), str(configuration)],
        folder / "orthanc.log",
        {"LD_PRELOAD": str(installation.compile_shim(folder))},
    )
    wait_until(orthanc.is_ours, [child], child.name)
    return child


def _configuration(installation: Installation, orthanc: Orthanc, storage: Path) -> dict[str, object]:
    return {
        "Name": orthanc.name,
        "HttpPort": orthanc.port,
        "StorageDirectory": str(storage),
        "IndexDirectory": str(storage),
        "StorageCompression": False,
        "DicomServerEnabled": False,
        # Compressing pictures made of noise costs time and saves nothing.
        "HttpCompressionEnabled": False,
        "HttpThreadsCount": 16,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {orthanc.user: orthanc.password},
        "SaveJobs": False,
        "Plugins": [str(plugin) for plugin in installation.plugins],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
        # Every other syntax crashes it when it transcodes.
        "Gdcm": {"Enable": True, "RestrictTransferSyntaxes": list(_JPEG2000)},
    }
