"""Where an unpacked OHIF is: the one that SMARTAPP_OHIF_DIR names, else what `make ohif` put into the checkout."""

import os
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]


def find_ohif() -> Path | None:
    """The folder with its index.html, of the newest release there; None without one."""
    named = os.environ.get("SMARTAPP_OHIF_DIR")
    folders = [Path(named)] if named else sorted(_CHECKOUT.glob("var/ohif/*/dist"))
    found = [folder for folder in folders if (folder / "index.html").is_file()]
    return found[-1] if found else None
