"""Sample reports."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

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
