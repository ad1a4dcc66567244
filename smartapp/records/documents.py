"""What a study holds: its series and their instances, asked once and then kept sealed for some minutes."""

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from smartapp.clock import Clock
from smartapp.consent.aliases import shown_uid
from smartapp.consent.model import IndexPermit, Permit
from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.dicomweb.core.dicomjson import Row, clean, get, number
from smartapp.dicomweb.upstream.model import PatientIds
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.errors import FORBIDDEN, NotFound, UpstreamMalformed, UpstreamMismatch, UpstreamRefused
from smartapp.identity.model import PatientKey
from smartapp.records import contents
from smartapp.records.addresses import Addresses
from smartapp.records.attributes import SERIES_KEPT
from smartapp.records.contents import Contents
from smartapp.records.model import IndexedStudy
from smartapp.records.showable import FRESH, Pictured, Showable

_MAX_AGE: Final = FRESH
"""In seconds. An archive that does not count instances gives a growing study one stamp: so long it may look whole."""
_HELD: Final = 64
_HOLDING: Final = timedelta(seconds=60)
"""How long a process goes by its own memory of a series, before it looks at what is kept."""


@dataclass(frozen=True)
class StudyAt:
    """A study of the patient's index, with the permit to see what it holds, and where it is addressed."""

    permit: Permit
    ids: PatientIds
    study: IndexedStudy
    addresses: Addresses
    request_id: str

    @property
    def patient(self) -> PatientKey:
        """Whose it is."""
        return self.permit.patient

    @property
    def deidentified(self) -> bool:
        """Whether who asks is shown de-identified images (or was, and now none), under other UIDs."""
        return self.permit.reach is not None and self.permit.reach.hides_identity

    def shown(self, uid: str) -> str:
        """The UID as who asks is shown it."""
        return shown_uid(self.permit.principal, uid)


class Documents:
    """Reads what studies hold. One per process; safe to share by threads.

    What is kept is named by the study's stamp: a study that grew is asked for anew.
    """

    def __init__(self, pacs: Mapping[str, PacsReader], cache: InstanceCache, clock: Clock) -> None:
        self._pacs = pacs
        self._cache = cache
        self._clock = clock
        self.showable = Showable(cache, clock)
        self._held: OrderedDict[tuple[PatientKey, str], tuple[datetime, Contents]] = OrderedDict()
        self._lock = threading.Lock()

    def series(self, at: StudyAt) -> tuple[Row, ...]:
        """The rows of the study's series, cut to the listed attributes, in their order; none without images."""
        if not at.study.images_available:
            return ()
        kept = self.kept_series(at.patient, at.study, at.addresses)
        return kept if kept is not None else self.fetch_series(at.permit, at.ids, at.study, at.addresses)

    def kept_series(
        self, patient: PatientKey, study: IndexedStudy, addresses: Addresses, max_age: float = _MAX_AGE
    ) -> tuple[Row, ...] | None:
        """As `series`, without asking the PACS: None where it would have to be asked. `max_age` in seconds."""
        kept = self._cache.get_blob(patient, _name(study, addresses, "series"), max_age)
        return tuple(json.loads(kept)) if kept else None

    def fetch_series(
        self, permit: Permit | IndexPermit, ids: PatientIds, study: IndexedStudy, addresses: Addresses
    ) -> tuple[Row, ...]:
        """As `series`, asked anew, and kept."""
        return self._keep_series(permit, study, addresses, self._pacs[permit.provider].series(permit, ids, study.uid))

    def fetch_series_of_many(
        self, permit: IndexPermit, ids: PatientIds, studies: Sequence[IndexedStudy], addresses: Addresses
    ) -> dict[str, tuple[Row, ...]]:
        """As `fetch_series`, of those of the studies that the PACS tells of at once, by their UIDs."""
        counts = {study.uid: study.series_count for study in studies}
        found = self._pacs[permit.provider].series_of_many(permit, ids, counts)
        return {
            study.uid: self._keep_series(permit, study, addresses, found[study.uid])
            for study in studies
            if study.uid in found
        }

    def _keep_series(
        self, permit: Permit | IndexPermit, study: IndexedStudy, addresses: Addresses, found: Sequence[Row]
    ) -> tuple[Row, ...]:
        cleaned = (clean(row, lambda _uri: None) for row in found)
        rows = [{tag: element for tag, element in row.items() if tag in SERIES_KEPT} for row in cleaned]
        rows.sort(key=_series_order)
        self._cache.put_blob(permit.patient, _name(study, addresses, "series"), json.dumps(rows).encode())
        return tuple(rows)

    def contents(self, at: StudyAt, series: str) -> Contents:
        """The instances of a series. NotFound, without asking the PACS, for one that is not of the study."""
        name = self._name(at, f"listed {series}")
        with self._lock:
            until, found = self._held.get((at.patient, name), (None, None))
        if until is not None and found is not None and self._clock.now() < until:
            return found
        kept = self._kept(at, f"listed {series}")
        return self._hold(at.patient, name, contents.decode(kept)) if kept is not None else self._fetch(at, series)[0]

    def metadata(self, at: StudyAt, series: str) -> tuple[Contents, bytes]:
        """The instances of a series, and their metadata as a JSON array. NotFound as in `contents`."""
        kept = self._kept(at, f"metadata {series}")
        if kept is None:
            return self._fetch(at, series)
        found = self.contents(at, series)
        last = max((listed.at + listed.size for listed in found.instances), default=1)
        # Each of the two is kept or dropped for itself; they fit unless another worker wrote one of them meanwhile.
        return (found, kept) if len(kept) == last + 1 else self._fetch(at, series)

    def row(self, at: StudyAt, series: str, sop: str) -> dict[str, Any]:
        """The metadata of one instance. NotFound for one that is not of the series."""
        found, document = self.metadata(at, series)
        listed = found.find(sop)
        if listed is None:
            raise NotFound
        row: dict[str, Any] = json.loads(document[listed.at : listed.at + listed.size])
        return row

    def pictured(self, patient: PatientKey, study: IndexedStudy, addresses: Addresses) -> dict[str, Pictured]:
        """What is known of the study's pictures, by series: nobody is asked."""
        return self.showable.of(patient, _name(study, addresses, "pictured"))

    def fetch_pictured(
        self, permit: Permit | IndexPermit, ids: PatientIds, study: IndexedStudy, addresses: Addresses, series: str
    ) -> Pictured:
        """What a series of the study comes to, asked anew, and kept. What the PACS gives nothing of that can be told to
        be of it, or keeps from us, holds nothing.
        """
        found: Contents | None = None
        try:
            found = self._fetch_contents(permit, ids, study, addresses, series)[0]
        except (UpstreamMalformed, UpstreamMismatch):
            found = None
        except UpstreamRefused as error:
            if error.code != FORBIDDEN:
                raise
        return self.showable.learn(permit.patient, _name(study, addresses, "pictured"), series, found)

    def forget(self, at: StudyAt, series: str) -> None:
        """Drops what is kept of a series: the PACS gave other instances than it had listed."""
        self._forget(at.patient, at.study, at.addresses, series)

    def _forget(self, patient: PatientKey, study: IndexedStudy, addresses: Addresses, series: str) -> None:
        names = [_name(study, addresses, what) for what in ("series", f"metadata {series}", f"listed {series}")]
        for name in names:
            self._cache.put_blob(patient, name, b"")
        with self._lock:
            self._held.pop((patient, names[-1]), None)

    def _kept(self, at: StudyAt, what: str) -> bytes | None:
        return self._cache.get_blob(at.patient, self._name(at, what), _MAX_AGE) or None

    def _fetch(self, at: StudyAt, series: str) -> tuple[Contents, bytes]:
        if all(get(row, "SeriesInstanceUID") != series for row in self.series(at)):
            raise NotFound
        found = self._fetch_contents(at.permit, at.ids, at.study, at.addresses, series)
        self.showable.learn(at.patient, self._name(at, "pictured"), series, found[0])
        return found

    def _fetch_contents(
        self, permit: Permit | IndexPermit, ids: PatientIds, study: IndexedStudy, addresses: Addresses, series: str
    ) -> tuple[Contents, bytes]:
        rows = self._pacs[permit.provider].metadata(permit, ids, study.uid, series)
        if not rows:
            self._forget(permit.patient, study, addresses, series)  # the archive no longer has what it had listed
            raise UpstreamMalformed("pacs-empty-series")
        found, document = contents.read_contents(rows, addresses, study.uid, series)
        self._cache.put_blob(permit.patient, _name(study, addresses, f"metadata {series}"), document)
        name = _name(study, addresses, f"listed {series}")
        self._cache.put_blob(permit.patient, name, contents.encode(found))
        return self._hold(permit.patient, name, found), document

    def _hold(self, patient: PatientKey, name: str, found: Contents) -> Contents:
        with self._lock:
            self._held[patient, name] = (self._clock.now() + _HOLDING, found)
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        return found

    @staticmethod
    def _name(at: StudyAt, what: str) -> str:
        return _name(at.study, at.addresses, what)


def _name(study: IndexedStudy, addresses: Addresses, what: str) -> str:
    return f"{addresses.base_url} {study.uid} {study.stamp} {what}"


def _series_order(row: Row) -> tuple[bool, int, str]:
    at = number(row, "SeriesNumber")
    return at is None, at or 0, get(row, "SeriesInstanceUID")
