"""sekmet-fhir: a FHIR server that somebody else wrote, in an environment of its own (`make .venv-sekmet`)."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sandbox.ehr.process import free_port, wait_for
from tests.support.parts import require

_PROGRAM = Path(__file__).parents[2] / ".venv-sekmet" / "bin" / "sekmet"


@contextmanager
def running_sekmet(folder: Path) -> Iterator[str]:
    """The base URL of an empty server whose files are in `folder`."""
    program = require("sekmet-fhir (make .venv-sekmet)", _PROGRAM if _PROGRAM.exists() else None)
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    settings = folder / "settings.yaml"
    settings.write_text(json.dumps({"base_url": base, "simulator": {"enabled": False}, "log_inbound": False}))
    command = [str(program), "serve", "--config", str(settings), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            wait_for(f"{base}/metadata", process)
            yield base
        finally:
            process.terminate()
            process.wait(10)
