"""docs/conformance.md says which test proves which clause: it is made from the marks, and no SHALL is forgotten."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_shall_has_a_test_or_a_reason_and_the_list_is_up_to_date() -> None:
    """If not: `python scripts/conformance.py`."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "conformance.py", "--check"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
