"""Studies and series of a wing, as a model has them."""

from __future__ import annotations

from dataclasses import dataclass

SITES = {"CHEST": "51185008", "HEAD": "69536005"}
MRN = "SE-1001"
FOREIGN = "SE-1002"


@dataclass(frozen=True)
class Series:
    """`burned` are the instance numbers with a name in their pixels."""

    uid: str
    modality: str = "CT"
    site: str = "CHEST"
    count: int = 1
    burned: frozenset[int] = frozenset()

    def sop(self, number: int) -> str:
        return f"{self.uid}.{number}"

    @property
    def sops(self) -> tuple[str, ...]:
        return tuple(self.sop(number) for number in range(1, self.count + 1))

    @property
    def showable(self) -> tuple[str, ...]:
        """The instances that may be had de-identified."""
        if self.modality == "SR":
            return ()
        return tuple(self.sop(n) for n in range(1, self.count + 1) if n not in self.burned)


@dataclass(frozen=True)
class Scan:
    """A study. `told` are the series that the EHR tells of, None where it knows no such study; `held`: the archive has
    it; `misfiled`: the archive has it under another patient's number. `label` is the EHR's, of confidentiality;
    `tagged`: a clinician has its reports wait.
    """

    uid: str
    day: str
    series: tuple[Series, ...] = ()
    told: tuple[Series, ...] | None = None
    held: bool = True
    misfiled: bool = False
    label: str = ""
    tagged: bool = False

    @property
    def ehr_id(self) -> str:
        return f"i{self.uid.rpartition('.')[2]}"

    @property
    def archived(self) -> bool:
        """Whether the archive has such a study at all."""
        return self.held and bool(self.series)

    @property
    def stamp(self) -> tuple[str, int, int]:
        """What the archive counts."""
        return self.uid, len(self.series), sum(each.count for each in self.series)

    @property
    def there(self) -> tuple[Series, ...]:
        """What the archive has of it for this patient."""
        return self.series if self.archived and not self.misfiled else ()
