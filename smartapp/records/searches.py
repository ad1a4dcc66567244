"""What searches find: studies, series and instances of the principal's patient (PS3.18 §10.6)."""

import json
from typing import Any, Final

from smartapp.audit.service import AuditTrail
from smartapp.dicomweb.core.dicomjson import get, retrieve_url
from smartapp.dicomweb.upstream.model import PatientIds
from smartapp.errors import UpstreamDown
from smartapp.identity.model import Principal
from smartapp.records.documents import StudyAt
from smartapp.records.gate import Gate
from smartapp.records.index import PACS_MISSING
from smartapp.records.pictures import PICTURES_UNREAD, only_deidentified
from smartapp.records.query import QidoQuery, foreign
from smartapp.records.view import LeftOut, View, nobody, searching

_AGAIN: Final = 15
"""In seconds: when to ask again for a list that the archive did not help to make."""


class Searches:
    """Every method asks the question first, and counts what it gives.

    NotFound for a study or series that is not the patient's, or not seen: without asking the PACS. Raises the
    `Upstream*` errors, AccessDenied, PermitEnded and AuditUnavailable.
    """

    def __init__(self, gate: Gate, view: View, audit: AuditTrail) -> None:
        self._gate = gate
        self._view = view
        self._audit = audit

    def studies(
        self,
        principal: Principal,
        query: QidoQuery,
        request_id: str,
        left_out: LeftOut = nobody,
        *,
        only: str | None = None,
    ) -> list[dict[str, Any]]:
        """The visible studies that match (PS3.18 §10.6); `only` that one, if it is among them.

        `left_out` is told while the archive was not yet asked for all that may be in the list. UpstreamDown for a list
        of de-identified studies while it does not answer.
        """
        index = self._gate.index(principal, request_id)
        if only_deidentified(principal) and PACS_MISSING in index.problems:
            raise UpstreamDown(PACS_MISSING, retry_after=_AGAIN)
        if PICTURES_UNREAD in index.problems:
            left_out()
        self._note(principal, query, index.ids, request_id)
        permit = self._gate.listing(principal, index, request_id)
        addresses = self._view.addresses(principal)
        shown = [
            study
            for study in index.studies
            if study.uid in permit.studies and study.images_available and only in {None, study.uid}
        ]
        rows = [self._study_row(StudyAt(permit, index.ids, study, addresses, request_id)) for study in shown]
        permit.check()
        self._audit.count(permit.disclosure_id)
        return query.apply(rows)

    def _note(self, principal: Principal, query: QidoQuery, ids: PatientIds, request_id: str) -> None:
        """The answer is the same: nothing that is asked for reaches further than the index (threat A4)."""
        keys = (*query.odd, *foreign(query, ids.values))
        self._gate.odd_query(principal, keys, query.level.name.lower(), request_id)

    def _study_row(self, at: StudyAt) -> dict[str, Any]:
        """A study's row. What somebody sees only in part is counted anew; of what is all held back nothing is left."""
        if at.permit.reach is None or not self._view.narrowed(at):
            return {**at.study.row, **retrieve_url(at.addresses.of(at.study.uid))}
        return self._view.study_row(at, self._view.outline(at))

    def series(
        self, principal: Principal, study: str, query: QidoQuery, request_id: str, left_out: LeftOut = nobody
    ) -> list[dict[str, Any]]:
        """The series of a study that match. `left_out` is told if some of the study is held back."""
        at = self._view.open(principal, study, searching(principal), request_id)
        self._note(principal, query, at.ids, request_id)
        seen = self._view.told(at, left_out)
        above = self._view.study_row(at, seen.rows)
        rows = [self._view.series_row(at, above, row) for row in seen.rows]
        at.permit.check()
        self._audit.count(at.permit.disclosure_id)
        return query.apply(rows)

    def instances(
        self,
        principal: Principal,
        study: str,
        series: str | None,
        query: QidoQuery,
        request_id: str,
        left_out: LeftOut = nobody,
    ) -> list[dict[str, Any]]:
        """The instances of a study, or of one of its series, that match. `left_out` as in `series`."""
        at = self._view.open(principal, study, searching(principal), request_id)
        self._note(principal, query, at.ids, request_id)
        seen = self._view.told(at, left_out)
        wanted = None if series is None else self._view.series(at, series)
        above = self._view.study_row(at, seen.rows)
        rows: list[dict[str, Any]] = []
        for row in seen.rows:
            uid = get(row, "SeriesInstanceUID")
            if wanted in {None, uid}:
                over = self._view.series_row(at, above, row)
                rows += [{**over, **instance} for instance in json.loads(self._view.document(at, uid))]
        at.permit.check()
        self._audit.count(at.permit.disclosure_id)
        return query.apply(rows)
