"""Sample reports."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from smartapp.dicomweb.core.sr import SrDocument, SrItem, SrVerifier
from smartapp.fhir.upstream.model import Observation, ReportAttachment, ReportDocument

REPORT: Final = ReportDocument(
    id="rep-1",
    status="final",
    issued=datetime(2026, 9, 17, 20, 10, tzinfo=UTC),
    effective=None,
    title="CT chest without contrast",
    conclusion="A single 5 mm nodule in the right upper lobe, most likely harmless.",
    performers=("Dr. Morgan Lee",),
    observations=(Observation("Nodule", "5 mm", "final"),),
    texts=("No fluid around the lungs.\nThe heart is of normal size.",),
    narrative_html="<div><p>The airways are open.</p><table><tr><th>Nodule</th><td>5 mm</td></tr></table></div>",
    attachments=(ReportAttachment(0, "application/pdf", "Report as PDF"),),
)
PRELIMINARY: Final = replace(
    REPORT,
    id="rep-2",
    status="preliminary",
    issued=datetime(2026, 11, 21, 3, 50, tzinfo=UTC),
    title="CT head",
    conclusion="No acute finding.",
    observations=(),
    texts=(),
    narrative_html="",
    attachments=(),
)


def item(name: str, value: str, *items: SrItem, concludes: bool = False, context: bool = False) -> SrItem:
    return SrItem(name, value, "TEXT" if value else "CONTAINER", concludes, context, items)


STRUCTURED: Final = SrDocument(
    title="Chest CT report",
    written="2026-09-17 10:15",
    verified=True,
    complete=True,
    preliminary=False,
    verifiers=(SrVerifier("Dr. Morgan Lee", "St. Elsewhere Health", "2026-09-17 15:10"),),
    items=(
        item("Observer", "Dr. Morgan Lee", context=True),
        item("Findings", "", item("Nodule", "Right upper lobe", item("Length", "5 mm"))),
        item("Impressions", "", item("Impression", "Most likely harmless."), concludes=True),
    ),
    cut=False,
)
