"""Release rules as hospitals write them, and what they hold back."""

from __future__ import annotations

from datetime import datetime, timedelta

from smartapp.settings import Delay, Jurisdiction
from tests.properties.hospital import EFFECTIVE, NOPAT, Finding
from tests.properties.scans import Scan

STRICT = Jurisdiction(
    "strict", "held", ("|".join(NOPAT),),
    (Delay(1, categories=("RAD",)), Delay(3, modalities=("MR", "PT")), Delay(6, ("LAB",), ("CT",))),
)  # fmt: skip
LENIENT = Jurisdiction("lenient", "shown", (), (Delay(2),))
"""Blocks are nothing here, and everything waits for two hours."""
STATUSES = ("final", "amended", "preliminary")
"""Of reports that are reports yet; others are not shown, and have nothing wait."""


def waits(rules: Jurisdiction, finding: Finding, scan: Scan, at: datetime) -> bool:
    """Whether a report is held back, as one of this study's."""
    blocked = bool(rules.blocks) and (finding.mark != "" or scan.tagged)
    unread = rules.preliminary == "held" and finding.status == "preliminary"
    until = ends(rules, finding, scan)
    return blocked or unread or (until is not None and at < until)


def ends(rules: Jurisdiction, finding: Finding, scan: Scan) -> datetime | None:
    """When it has waited long enough, as one of this study's; None: it need not wait."""
    kinds = {each.modality for each in (scan.series if scan.archived else scan.told or ())}
    hours = [
        delay.hours
        for delay in rules.delay
        if (not delay.categories or finding.category in delay.categories)
        and (not delay.modalities or kinds.intersection(delay.modalities))
    ]
    since = finding.issued or datetime.fromisoformat(EFFECTIVE)
    return since + timedelta(hours=max(hours)) if hours else None
