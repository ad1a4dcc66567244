"""What names an instance."""

from dataclasses import dataclass

from smartapp.identity.model import PatientKey


@dataclass(frozen=True)
class InstanceKey:
    """A SOP instance in its place: the patient whose it is, Study, Series and SOP Instance UID."""

    patient: PatientKey
    study: str
    series: str
    sop: str

    def __bytes__(self) -> bytes:
        """The same bytes for the same key and no other (each part is preceded by its length)."""
        parts = (self.patient.provider, self.patient.patient_id, self.study, self.series, self.sop)
        return b"".join(f"{len(part)}:{part}".encode() for part in parts)
