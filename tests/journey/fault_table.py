"""What a person sees under each fault. `docs/faults.md` is this table; `test_faults` walks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from smartapp.sandbox.faults.catalogue import KINDS, Part

When = Literal["sign-in", "list", "later", "pictures"]

PLACES: dict[When, str] = {
    "sign-in": "signing in",
    "list": "opening the list",
    "later": "opening the list when the EHR's token is due",
    "pictures": "opening a picture",
}
DOWN = "The hospital's system does not answer now"
UNUSABLE = "The hospital's system gave an answer we cannot use"
REFUSED = "This link or form does not work"
INCOMPLETE = "This page may be incomplete"
SIGNED_OUT = "You are signed out"
WELL = "Scans and reports"
AGAIN = "This page tries again by itself"


@dataclass(frozen=True)
class Case:
    """A fault, when it strikes, the status and words of the page, and the row that it leaves in the audit trail.

    `sees` is empty where there is a picture instead of a page. `more` are parameters of the fault.
    """

    part: Part
    fault: str
    when: When
    status: int
    sees: str = ""
    row: str = ""
    match: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.part}-{self.fault}-{self.when}"


TOKEN = "*/oauth/token"
FHIR = "*/fhir/ImagingStudy"
OBJECT = "*/instances/"

CASES = (
    Case("ehr", "wrong-nonce", "sign-in", 400, REFUSED, "smart.idtoken.nonce"),
    *(
        Case("ehr", fault, "sign-in", 400, REFUSED, "smart.idtoken.bad")
        for fault in ("wrong-aud", "wrong-iss", "bad-signature", "alg-none")
    ),
    Case("ehr", "key-rotation", "sign-in", 200, WELL, "smart.launch"),
    Case("ehr", "html", "sign-in", 400, REFUSED, "smart.token.bad", match=TOKEN),
    Case("ehr", "slow", "list", 200, WELL, more={"seconds": 0.5}),
    Case("ehr", "429", "list", 200, INCOMPLETE, match=FHIR),
    Case("ehr", "429-date", "list", 200, INCOMPLETE, match=FHIR),
    Case("ehr", "500", "list", 200, INCOMPLETE, match=FHIR),
    Case("ehr", "503", "list", 200, INCOMPLETE, match=FHIR),
    Case("ehr", "short", "list", 200, INCOMPLETE, match=FHIR),
    Case("ehr", "reset", "list", 200, INCOMPLETE, match=FHIR),
    Case("ehr", "stall", "list", 200, INCOMPLETE, match=FHIR, more={"seconds": 12}),
    Case("ehr", "html", "list", 200, INCOMPLETE, match=FHIR),
    Case("ehr", "malformed-json", "list", 200, INCOMPLETE, match=FHIR),
    Case("ehr", "bom", "list", 200, WELL, match=FHIR),
    Case("ehr", "paging-loop", "list", 200, INCOMPLETE, match=FHIR),
    Case("ehr", "foreign-next", "list", 200, INCOMPLETE, "smart.offorigin", match=FHIR),
    Case("ehr", "token-revoked", "list", 403, SIGNED_OUT, "smart.revoked_upstream"),
    Case("ehr", "refresh-refused", "later", 403, SIGNED_OUT, "smart.revoked_upstream"),
    Case("ehr", "refresh-other-patient", "later", 403, SIGNED_OUT, "smart.context.mismatch"),
    Case("pacs", "slow", "pictures", 200, match=OBJECT, more={"seconds": 0.5}),
    Case("pacs", "429", "pictures", 503, DOWN, match=OBJECT),
    Case("pacs", "429-date", "pictures", 503, DOWN, match=OBJECT),
    Case("pacs", "500", "pictures", 502, UNUSABLE, match=OBJECT),
    Case("pacs", "503", "pictures", 503, DOWN, match=OBJECT),
    Case("pacs", "html", "pictures", 502, UNUSABLE, match=OBJECT),
    Case("pacs", "short", "pictures", 502, UNUSABLE, match=OBJECT),
    Case("pacs", "reset", "pictures", 502, UNUSABLE, match=OBJECT),
    Case("pacs", "stall", "pictures", 503, DOWN, match=OBJECT, more={"seconds": 12}),
    Case("pacs", "wrong-study", "pictures", 502, UNUSABLE, "pacs.mismatch", match=OBJECT),
    Case("pacs", "no-closing-boundary", "pictures", 502, UNUSABLE, match=OBJECT),
    Case("pacs", "offline", "pictures", 503, AGAIN, more={"seconds": 60}),
)
"""Every kind of fault at least once."""


def document() -> str:
    """`docs/faults.md`."""
    lines = [
        "# Faults, and what a person sees",
        "",
        "The sandbox's `faults` address makes its EHR and PACS misbehave; `tests/journey/test_faults.py` walks this",
        "table. In every case nothing of another patient is shown, no picture is shown in part, and the next request",
        "after the fault is answered well. `python -m tests.journey.fault_table` makes this page from the table.",
        "",
        "| part | fault | what it is | when | status | what is seen | audit row |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {case.part} | {case.fault} | {KINDS[case.part][case.fault].sentence} | {PLACES[case.when]} | {case.status} "
        f"| {case.sees or 'the picture'} | {case.row or 'none of its own'} |"
        for case in CASES
    ]
    return "\n".join([*lines, "", *ADDRESS, ""])


ADDRESS = (
    "## The address",
    "",
    "It stands in the sandbox's line as `faults` (with `--port-base N`: N+40), on the loopback address only.",
    "",
    "| request | does |",
    "| --- | --- |",
    "| `GET /` | lists what can be set, what is set, the clocks' shift, and how many followed a `foreign-next` link |",
    '| `PUT /ehr`, `PUT /pacs` with `{"fault": "503"}` | sets this fault in place of the others of the part |',
    "| `POST /ehr`, `POST /pacs` | adds one: the first that fits a request happens |",
    "| `DELETE /ehr`, `DELETE /pacs` | clears the part's |",
    '| `PUT /clock`, `POST /clock` with `{"seconds": 3600}` | sets the shift of all clocks, adds to it |',
    "| `DELETE /clock`, `DELETE /` | sets the clocks right, clears everything |",
    "",
    "A fault may carry `times` (how often it happens; always without it), `match` (the beginning of a path and query,",
    "in which `*` stands for anything) and, where the list gives a default, `seconds`.",
)

if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 -- what this program is for
