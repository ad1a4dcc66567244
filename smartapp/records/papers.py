"""Documents among the pictures: structured reports to read, encapsulated PDF to download."""

from typing import Final

from smartapp.audit.service import AuditTrail
from smartapp.consent.model import Action
from smartapp.dicomweb.core import sr
from smartapp.dicomweb.core.dicomjson import get
from smartapp.errors import NotFound
from smartapp.identity.model import Principal
from smartapp.records.contents import paper_kind
from smartapp.records.documents import Documents
from smartapp.records.gate import Gate
from smartapp.records.images import Images
from smartapp.records.model import Attachment

_ENCAPSULATED_DOCUMENT: Final = 0x00420011


class Papers:
    """Reads documents. They tell what was found, so that the right to reports is asked for besides that to images.

    While a report of the study is held back, `images` has no documents: NotFound.
    """

    def __init__(self, gate: Gate, documents: Documents, images: Images, audit: AuditTrail) -> None:
        self._gate = gate
        self._documents = documents
        self._images = images
        self._audit = audit

    def structured_report(
        self, principal: Principal, study: str, series: str, sop: str, request_id: str
    ) -> sr.SrDocument:
        """A structured report as nested text. NotFound for what is none, or not of the study and series."""
        at = self._images.open_study(principal, study, request_id)
        permit, _, _ = self._gate.study(principal, study, Action.READ_REPORT, request_id)
        self._images.require(at, series, sop)
        row = self._documents.row(at, series, sop)
        if paper_kind(get(row, "SOPClassUID")) != "sr":
            raise NotFound
        document = sr.read_document(row)
        for each in (at.permit, permit):
            each.check()
        self._audit.count(at.permit.disclosure_id, instances=1)
        return document

    def pdf(self, principal: Principal, study: str, series: str, sop: str, request_id: str) -> Attachment:
        """An encapsulated PDF (PS3.3 §C.24.2). What does not begin as one is given as plain bytes."""
        at = self._images.open_study(principal, study, request_id)
        self._gate.study(principal, study, Action.READ_REPORT, request_id)
        listed = self._images.require(at, series, sop)
        if paper_kind(listed.sop_class) != "pdf":
            raise NotFound
        value = self._images.bulkdata(principal, study, series, sop, _ENCAPSULATED_DOCUMENT, request_id)
        body = value.removesuffix(b"\0")  # the padding of an odd length, PS3.5 §6.2
        date = f"{at.study.started:%Y-%m-%d}-" if at.study.started else ""
        if body.startswith(b"%PDF-"):
            return Attachment("application/pdf", f"{date}document.pdf", body)
        return Attachment("application/octet-stream", f"{date}document", body)
