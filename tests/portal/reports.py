"""Sample reports."""

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True)
class Section:
    title: str
    text: str


@dataclass(frozen=True)
class Paper:
    content_type: str
    title: str


@dataclass(frozen=True)
class Report:
    id: str
    status: str
    issued: datetime
    title: str
    conclusion: str
    narrative: str
    sections: tuple[Section, ...] = ()
    attachments: tuple[Paper, ...] = field(default_factory=tuple)


REPORT = Report(
    id="rep-1",
    status="final",
    issued=datetime(2026, 9, 17, 20, 10, tzinfo=UTC),
    title="CT chest without contrast",
    conclusion="A single 5 mm nodule in the right upper lobe, most likely harmless.",
    narrative="<div><p>The airways are open.</p><table><tr><th>Nodule</th><td>5 mm</td></tr></table></div>",
    sections=(Section("Findings", "No fluid around the lungs.\nThe heart is of normal size."),),
    attachments=(Paper("application/pdf", "Report as PDF"),),
)
PRELIMINARY = Report(
    id="rep-2",
    status="preliminary",
    issued=datetime(2026, 11, 21, 3, 50, tzinfo=UTC),
    title="CT head",
    conclusion="No acute finding.",
    narrative="",
)
