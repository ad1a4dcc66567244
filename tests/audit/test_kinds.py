"""The list of kinds is the code's: nothing is written that it does not name, and all that it names is written."""

import ast
import subprocess
import sys
from pathlib import Path

from smartapp.audit.kinds import GROUPS, KINDS

ROOT = Path(__file__).parents[2]
NO_ROWS = {
    "alerts.address", "alerts.code", "alerts.often", "app.no-ground", "app.state", "copy.passphrase.differ",
    "copy.passphrase.long", "copy.passphrase.short", "copy.passphrase.signs", "csrf.developer", "error.html",
    "grant.alias", "grant.dates", "grant.expires", "grant.images", "grant.nothing", "grant.nothing-now", "grant.over",
    "grant.purpose", "grant.studies", "grant.widens", "oauth.grant", "oauth.logout.hint", "oauth.logout.redirect",
    "oauth.subject", "smart.launch.parameters",
}  # fmt: skip
"""Words of the same families that are codes of errors, labels of keys, or names of files."""
COMPOSED = {"grant.ended", "grant.expired", "grant.paused", "grant.resumed", "grant.woken"} | {
    f"{who}.{word}" for who in ("ehr", "pacs") for word in ("down", "429", "bad", "malformed")
} | {"ehr.slow", "pacs.stall", "pacs.short"}  # fmt: skip
"""Kinds whose names are put together where they are written."""


def _words() -> set[str]:
    """The string constants of the product, without the sandbox, whose first part is that of a kind."""
    families = {name.partition(".")[0] for name in KINDS}
    found = set()
    for path in (ROOT / "smartapp").rglob("*.py"):
        if "sandbox" in path.parts or "migrations" in path.parts or path.name == "kinds.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                family, dot, rest = node.value.partition(".")
                if family in families and ((dot and rest and " " not in rest) or node.value in KINDS):
                    found.add(node.value)
    return found


def test_every_kind_is_declared_once() -> None:
    names = [kind.name for group in GROUPS.values() for kind in group]
    assert len(names) == len(set(names)) == len(KINDS)


def test_what_looks_like_a_kind_is_declared_or_is_none() -> None:
    assert _words() - set(KINDS) - NO_ROWS == set()


def test_what_is_declared_is_written_somewhere() -> None:
    assert set(KINDS) - _words() - COMPOSED == set()


def test_the_reviewers_list_is_up_to_date() -> None:
    """If not: `python scripts/audit_kinds.py`."""
    done = subprocess.run([sys.executable, ROOT / "scripts" / "audit_kinds.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run `python scripts/audit_kinds.py`"
