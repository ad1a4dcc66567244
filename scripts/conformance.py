"""Writes docs/conformance.md: which test proves which clause of a specification, read from the tests' `clause` marks.

`python scripts/conformance.py` writes it; with `--check` it only tells, by its exit status, whether it is up to date.
The requirements are the lists in tests/conformance, smart_client.csv and smart_server.csv; what has no test says why in
the TOML file of the same name.
"""

import ast
import csv
import re
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENT: Final = ROOT / "docs" / "conformance.md"
LISTS: Final = ROOT / "tests" / "conformance"
BINDING: Final = frozenset({"SHALL", "SHALL NOT"})
_STRENGTHS: Final = ("SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT", "MAY")
_STATES: Final = {
    "bound": "by tests",
    "not_applicable": "does not apply",
    "not_built": "not built yet",
    "otherwise": "done otherwise",
    "open": "open",
}
_INTRODUCTION: Final = """# Which test proves which clause

Made by `python scripts/conformance.py` from the `clause` marks of the tests; a test fails when it is out of date.
A test is named by its file and function. The words are ours; each number leads to the published text. "Does not apply",
"not built yet" and "done otherwise" come with the reason. "Open" is what is recommended or allowed, and has neither a
test nor a reason.
"""
_REASONS: Final = ("not_applicable", "not_built", "otherwise")
"""The states that say why there is no test."""
_NUMBERED: Final = "Numbered as in the SMART App Launch test kit of the Inferno project."
_OTHERS: Final = """## Other documents

| document | clause | tests |
| --- | --- | --- |
"""


@dataclass(frozen=True)
class Requirement:
    """One requirement: its number, SHALL to MAY, what it asks in our words, and where it is published."""

    id: str
    strength: str
    about: str
    url: str


@dataclass(frozen=True)
class Specification:
    """A numbered document: `mark` is its name in the marks, `file` that of its list and of the reasons beside it."""

    mark: str
    file: str
    title: str

    @cached_property
    def requirements(self) -> list[Requirement]:
        """The rows of the list."""
        with (LISTS / f"{self.file}.csv").open(newline="") as file:
            return [Requirement(**row) for row in csv.DictReader(file)]

    @cached_property
    def reasons(self) -> dict[str, dict[str, str]]:
        """Why there is no test (`_REASONS`), and what is to be said beside the tests (`notes`)."""
        return tomllib.loads((LISTS / f"{self.file}.toml").read_text())

    @cached_property
    def tests(self) -> dict[str, list[str]]:
        """The tests of each requirement."""
        return {clause: tests for (document, clause), tests in marked().items() if document == self.mark}

    def state(self, id_: str) -> str:
        """One of `_STATES`."""
        if id_ in self.tests:
            return "bound"
        return next((state for state in _REASONS if id_ in self.reasons[state]), "open")


SPECIFICATIONS: Final = (
    Specification("SMART 2.2", "smart_client", "SMART App Launch 2.2.0, as a client"),
    Specification("SMART 2.2 server", "smart_server", "SMART App Launch 2.2.0, as a server"),
)


@cache
def marked() -> dict[tuple[str, str], list[str]]:
    """The tests of each (document, clause): `room/file::function`, in order."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        module = ast.parse(path.read_text())
        name = path.relative_to(ROOT / "tests").as_posix()
        whole = set(_clauses_in(node for node in module.body if isinstance(node, ast.Assign)))
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for clause in sorted(whole | set(_clauses_in(node.decorator_list))):
                    found[clause].append(f"{name}::{node.name}")
    return found


def _clauses_in(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """What `pytest.mark.clause(document, clause, …)` says below these nodes."""
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "clause":
                document, *clauses = map(ast.literal_eval, node.args)
                yield from ((document, clause) for clause in clauses)


def faults(listed: Specification) -> list[str]:
    """What is wrong with marks and lists, in sentences: a number that is none, said twice, or forgotten."""
    tests, reasons = listed.tests, listed.reasons
    known = {row.id for row in listed.requirements}
    without = Counter(id_ for state in _REASONS for id_ in reasons[state])
    said = {**tests, **without, **reasons["notes"]}
    found = [f"{id_} is no requirement" for id_ in said if id_ not in known]
    found += [f"{id_} is listed twice" for id_, times in without.items() if times > 1]
    found += [f"{id_} has a test and a reason for having none" for id_ in without if id_ in tests]
    found += [f"{id_} has a note and no test" for id_ in reasons["notes"] if id_ not in tests]
    forgotten = [row for row in listed.requirements if row.strength in BINDING and row.id not in {*tests, *without}]
    found += [f"{row.id} ({row.strength}) has neither a test nor a reason: {row.about}" for row in forgotten]
    return [f"{listed.mark}: {sentence}" for sentence in found]


def document() -> str:
    """The whole text of docs/conformance.md."""
    lists = [line for listed in SPECIFICATIONS for line in _listed(listed)]
    return "\n".join([_INTRODUCTION, *lists, _OTHERS.rstrip(), *_other_documents(), ""])


def _listed(listed: Specification) -> list[str]:
    return [f"## {listed.title}", "", _NUMBERED, "", *_counts(listed), "", *_requirements(listed), ""]


def _counts(listed: Specification) -> Iterator[str]:
    states = Counter((row.strength, listed.state(row.id)) for row in listed.requirements)
    yield f"| strength | in all | {' | '.join(_STATES.values())} |"
    yield f"| --- | {' | '.join('---' for _ in range(len(_STATES) + 1))} |"
    for strength in _STRENGTHS:
        counts = [states[strength, state] for state in _STATES]
        yield f"| {strength} | {sum(counts)} | {' | '.join(map(str, counts))} |"


def _requirements(listed: Specification) -> Iterator[str]:
    yield "| requirement | strength | what it asks | tests, or why there is none |"
    yield "| --- | --- | --- | --- |"
    for row in listed.requirements:
        state = listed.state(row.id)
        if state == "bound":
            note = listed.reasons["notes"].get(row.id)
            cell = "<br>".join([*map("`{}`".format, listed.tests[row.id]), *filter(None, [note])])
        else:
            why = listed.reasons.get(state, {}).get(row.id)
            cell = f"{_STATES[state].capitalize()}: {why}" if why else _STATES[state].capitalize()
        yield f"| [{row.id}]({row.url}) | {row.strength} | {row.about} | {cell} |"


def _other_documents() -> Iterator[str]:
    numbered = {listed.mark for listed in SPECIFICATIONS}
    for (name, clause), tests in sorted(marked().items(), key=_order):
        if name not in numbered:
            yield f"| {name} | {clause} | {'<br>'.join(map('`{}`'.format, tests))} |"


def _order(item: tuple[tuple[str, str], list[str]]) -> tuple[str, list[tuple[int, str]]]:
    """By document, then as clauses are counted: 4.2 before 4.10."""
    (name, clause), _ = item
    return name, [(int(piece) if piece.isdigit() else -1, piece) for piece in re.split(r"\.", clause)]


def main() -> int:
    """Writes or checks the document; 1, with what is wrong on standard error, when something is."""
    wrong = [sentence for listed in SPECIFICATIONS for sentence in faults(listed)]
    text = document()
    if "--check" not in sys.argv[1:]:
        DOCUMENT.write_text(text)
    elif not DOCUMENT.exists() or DOCUMENT.read_text() != text:
        wrong.append("docs/conformance.md is out of date: run `python scripts/conformance.py`")
    print(*wrong, sep="\n", file=sys.stderr, end="\n" if wrong else "")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
