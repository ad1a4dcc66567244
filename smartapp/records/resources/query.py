"""What is asked of a search, read and ready to be answered. Pure."""

from dataclasses import dataclass, field
from datetime import tzinfo

from smartapp.errors import AccessDenied, Reason
from smartapp.records.resources.model import Item
from smartapp.records.resources.parameters import PARAMETERS, Kind, sort_key

DEFAULT_COUNT = 20
MOST = 100


@dataclass(frozen=True)
class Query:
    """All of `criteria` must hold (parameter, alternatives); a page of `count` from `offset`. Pure facts, checked.

    `sort` are (name, descending); `includes` parameters to follow. `count` 0: the total alone.
    """

    type: str
    criteria: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    includes: tuple[str, ...] = ()
    count: int = DEFAULT_COUNT
    offset: int = 0
    base: str = field(default="", repr=False)
    """Our own FHIR base: a reference to the patient may be absolute."""

    @property
    def dated(self) -> bool:
        """Whether the date of change matters, to match or to sort."""
        return "_lastUpdated" in {name for name, _ in (*self.criteria, *self.sort)}

    def require_own(self, patient_id: str) -> None:
        """AccessDenied where it names another patient than the record's, whoever else is named besides."""
        own = {patient_id, f"Patient/{patient_id}", f"{self.base}/Patient/{patient_id}"}
        for name, asked in self.criteria:
            if PARAMETERS[self.type][name].kind is Kind.REFERENCE and not set(asked) <= own:
                raise AccessDenied(Reason("other-patient", "token"))

    def apply(self, items: list[Item], zone: tzinfo) -> list[Item]:
        """The items that match, in order; those of equal rank keep theirs."""
        known = PARAMETERS[self.type]
        found = [item for item in items if all(known[name].fits(item, asked, zone) for name, asked in self.criteria)]
        for name, descending in reversed(self.sort):
            key = sort_key(self.type, name)
            if key is not None:
                # what lacks the value comes last, either way
                there = [item for item in found if key(item) is not None]
                there.sort(key=key, reverse=descending)  # type: ignore[arg-type]  # dates with dates, texts with texts
                found = there + [item for item in found if key(item) is None]
        return found
