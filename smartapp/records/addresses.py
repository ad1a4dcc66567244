"""Our own DICOMweb addresses: the only ones that ever stand in an answer (threat A6). Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Addresses:
    """Makes the addresses of one provider's objects; `base_url` is what people reach us by."""

    base_url: str
    provider: str

    def of(self, study: str, series: str | None = None, sop: str | None = None) -> str:
        """The resource of a study, a series or an instance (PS3.18 §10.4.1.1.1)."""
        address = f"{self.base_url.rstrip('/')}/{self.provider}/dicomweb/studies/{study}"
        if series is not None:
            address += f"/series/{series}"
        if sop is not None:
            address += f"/instances/{sop}"
        return address
