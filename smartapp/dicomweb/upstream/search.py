"""QIDO-RS and metadata by dicomweb-client: which studies, series and instances there are."""

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, cast

from dicomweb_client.web import DICOMwebClient

from smartapp.dicomweb.core.dicomjson import Row
from smartapp.dicomweb.upstream.rows import as_rows
from smartapp.dicomweb.upstream.session import GuardedSession
from smartapp.errors import UpstreamMalformed

_PAGE: Final = 500
_STUDY_FIELDS: Final = (
    "StudyDescription", "ModalitiesInStudy", "IssuerOfPatientID", "InstitutionName", "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances", "TimezoneOffsetFromUTC", "AccessionNumber",
    "IssuerOfAccessionNumberSequence",
)  # fmt: skip
_SERIES_FIELDS: Final = (
    "SeriesDescription", "NumberOfSeriesRelatedInstances", "BodyPartExamined", "SeriesDate", "SeriesTime",
    "Laterality", "ProtocolName", "Manufacturer",
)  # fmt: skip


class Search:
    """One conversation with the archive, under one permit's credential."""

    def __init__(self, base: str, session: GuardedSession, max_pages: int) -> None:
        # dicomweb-client writes URLs, and with them PatientIDs, to its debug log; retrying every error it sees.
        for name in ("dicomweb_client", "retrying"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._session = session
        self._max_pages = max_pages
        # It calls nothing of a session but `get`, and changes nothing but `headers`.
        self._client = DICOMwebClient(url=base, session=cast("Any", session), permissive_uid=True)
        self._client.set_http_retry_params(retry=False)  # the door retries what may be retried

    def studies(self, name: str, value: str) -> Iterator[Row]:
        """The rows of the studies with this PatientID or (comma-separated) StudyInstanceUID; not yet checked."""
        filters = {name: value}
        return self._pages(
            lambda limit, offset: self._client.search_for_studies(
                fields=_STUDY_FIELDS, search_filters=filters, limit=limit, offset=offset
            )
        )

    def series(self, study: str) -> Iterator[Row]:
        """The rows of a study's series; not yet checked."""
        return self._pages(
            lambda limit, offset: self._client.search_for_series(
                study_instance_uid=study, fields=_SERIES_FIELDS, limit=limit, offset=offset
            )
        )

    def series_of_patient(self, patient_id: str) -> Iterator[Row]:
        """The rows of all series under this PatientID, each with its study's (PS3.18 §10.6.1.1); not yet checked."""
        return self._pages(
            lambda limit, offset: self._client.search_for_series(
                fields=(*_SERIES_FIELDS, "IssuerOfPatientID"),
                search_filters={"PatientID": patient_id},
                limit=limit,
                offset=offset,
            )
        )

    def metadata(self, study: str, series: str) -> Sequence[Row]:
        """The headers of a series' instances, without bulk data (PS3.18 §10.4.1.1.2); not yet checked."""
        return self._asked(lambda: self._client.retrieve_series_metadata(study, series))

    def _pages(self, ask: Callable[[int, int], Any]) -> Iterator[Row]:
        """Row by row. An archive that ignores `offset` gives the same page again, which ends the asking."""
        offset = 0
        before: Sequence[Row] = ()
        for _ in range(self._max_pages):
            rows = self._asked(partial(ask, _PAGE, offset))
            if rows == before:
                return
            yield from rows
            if not rows or (len(rows) < _PAGE and not self._session.more):
                return
            offset, before = offset + len(rows), rows
        raise UpstreamMalformed("pacs-pages")

    @staticmethod
    def _asked(ask: Callable[[], Any]) -> Sequence[Row]:
        try:
            return as_rows(ask())
        except (
            ValueError,
            TypeError,
            AttributeError,
            RecursionError,
        ):  # what dicomweb-client and JSON make of a body that is none
            raise UpstreamMalformed("pacs-json") from None
