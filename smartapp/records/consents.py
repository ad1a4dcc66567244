"""The Consents that a hospital has on file for a patient: fetched with the index, and judged as they hold now."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from smartapp.clock import Clock
from smartapp.consent.directives.model import Filed, Unreadable
from smartapp.consent.directives.onfile import OnFile, read_all
from smartapp.consent.model import IndexPermit
from smartapp.errors import FORBIDDEN, NotFound, UpstreamError, UpstreamRefused
from smartapp.fhir.upstream.model import PatientRecord
from smartapp.fhir.upstream.service import FhirReader
from smartapp.identity.model import PatientKey
from smartapp.records.model import StudyIndex
from smartapp.settings import Settings


class ConsentsOnFile:
    """One per process; safe to share by threads."""

    def __init__(
        self, settings: Settings, fhir: FhirReader, clock: Clock, names: Callable[[str, str], tuple[str, ...]]
    ) -> None:
        """`names` gives all that an app is called, by provider and client id: Consents may name it."""
        self._settings = settings
        self._fhir = fhir
        self._clock = clock
        self._names = names

    def asked(self, patient: PatientKey) -> bool:
        """Whether the patient's hospital is asked for them."""
        return self._settings.provider(patient.provider).consent != "none"

    def fetch(self, permit: IndexPermit, record: PatientRecord) -> tuple[tuple[Filed, ...] | None, bool]:
        """What is on file for the permit's `record` (None where nobody is asked), and whether any may be missing: that
        keeps everything from apps, and nothing from people.
        """
        if not self.asked(permit.patient):
            return None, False
        try:
            found = self._fhir.consents(permit, record)
            read_all(found.items, ZoneInfo(self._settings.provider(permit.provider).timezone))
        except UpstreamRefused as error:
            if error.code != FORBIDDEN:
                raise
            return (), True
        except (UpstreamError, NotFound, Unreadable):
            return (), True
        return tuple(found.items), bool(found.problems)

    def applied(self, patient: PatientKey, index: StudyIndex) -> StudyIndex:
        """The index with those that hold at this moment."""
        if index.consents is None:
            return index
        provider = self._settings.provider(patient.provider)
        zone = ZoneInfo(provider.timezone)
        on_file = OnFile(
            () if index.consents_unread else read_all(index.consents, zone),
            at=self._clock.now(),
            issuer=f"{self._settings.server.base_url.rstrip('/')}/{provider.id}",
            zone=zone,
            names=partial(self._names, provider.id),
            unread=index.consents_unread,
        )
        studies = tuple(replace(study, on_file=on_file) for study in index.studies)
        return replace(index, studies=studies, on_file=on_file)
