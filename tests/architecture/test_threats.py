"""docs/threats.md says which test tries which attack: it is made from the marks, and no row is forgotten."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_list_of_attacks_is_up_to_date() -> None:
    """If not: `python scripts/threats.py`."""
    done = subprocess.run([sys.executable, ROOT / "scripts" / "threats.py", "--check"], check=False)
    assert done.returncode == 0, "run `python scripts/threats.py`"


def test_every_row_has_a_test_or_a_reason() -> None:
    command = "import threats; print(*threats.gaps())"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT / "scripts", capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
