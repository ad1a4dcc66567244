"""What a fault of an EHR or an archive is called."""

import pytest

from smartapp.audit.kinds import KINDS
from smartapp.audit.upstreams import Upstream, event_of, told_of
from smartapp.errors import (
    UpstreamDown,
    UpstreamError,
    UpstreamMalformed,
    UpstreamMismatch,
    UpstreamRefused,
    UpstreamSlow,
)


@pytest.mark.threat("F11", "F12", "D4", "D8", "D10")
@pytest.mark.parametrize(
    ("who", "error", "kind", "severity"),
    [
        ("ehr", UpstreamDown("tls"), "tls.fail", "high"),
        ("pacs", UpstreamDown("tls"), "tls.fail", "high"),
        ("ehr", UpstreamMalformed("off-origin"), "smart.offorigin", "high"),
        ("ehr", UpstreamSlow(), "ehr.slow", "info"),
        ("pacs", UpstreamSlow(), "pacs.stall", "info"),
        ("ehr", UpstreamDown("breaker-open"), "ehr.down", "info"),
        ("pacs", UpstreamDown("upstream-503"), "pacs.down", "info"),
        ("pacs", UpstreamDown("upstream-429"), "pacs.429", "info"),
        ("pacs", UpstreamError("upstream-cut"), "pacs.short", "info"),
        ("ehr", UpstreamError("upstream-cut"), "ehr.malformed", "info"),
        ("pacs", UpstreamMalformed("multipart-headers"), "pacs.malformed", "info"),
        ("pacs", UpstreamMalformed("dicom-order"), "pacs.malformed", "info"),
        ("pacs", UpstreamMalformed("dicom-deflate"), "dicom.bomb", "info"),
        ("pacs", UpstreamMalformed("dicom-depth"), "dicom.depth", "info"),
        ("pacs", UpstreamMalformed("dicom-items"), "dicom.depth", "info"),
        ("pacs", UpstreamMalformed("dicom-uid"), "dicom.uid_bad", "info"),
        ("pacs", UpstreamMalformed("pacs-uid"), "dicom.uid_bad", "info"),
    ],
)
def test_each_fault_has_its_name(who: Upstream, error: UpstreamError, kind: str, severity: str) -> None:
    event = event_of(who, error, "st-elsewhere")
    assert event is not None
    assert (event.kind, event.severity, event.provider) == (kind, severity, "st-elsewhere")
    assert dict(event.detail) == {"code": error.code, "upstream": who}
    assert KINDS[kind].noted


@pytest.mark.parametrize("error", [UpstreamMismatch("pacs-study"), UpstreamRefused(), UpstreamDown("streams-used-up")])
def test_what_has_a_row_of_its_own_or_is_nobodys_fault_has_none_here(error: UpstreamError) -> None:
    assert told_of("pacs", error) is None
    assert event_of("pacs", error, "st-elsewhere") is None
