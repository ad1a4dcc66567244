"""All Consents of one patient that are on file at the hospital, as far as they hold at one moment. Pure."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Final

from smartapp.consent.directives.asking import Asker
from smartapp.consent.directives.judging import Judge
from smartapp.consent.directives.model import Directive, Effect, Filed, Provision
from smartapp.consent.directives.reading import read_directive
from smartapp.consent.facts import ReportKnown, StudyFacts

Names = Callable[[str], tuple[str, ...]]
"""All that an app is called and where it lives on the web, by its client id; none for one that nobody knows."""

UNREAD: Final = "unread"
"""In the place of a Consent's id, where the Consents could not be read."""
_DENY_ALL: Final = (Directive(UNREAD, Provision(Effect.DENY)),)


class OnFile:
    """`issuer` is ours at the hospital, whose clock is `zone`'s. `unread`: they could not all be read, which keeps
    everything from apps.

    The Consents that we wrote for our own grants are passed over: what they permit is granted here already, and the
    opt-out around it is what this door does to whoever has no grant. Only what has their shape is: whoever puts a
    denial under our identifier is obeyed. No Consent permits anything by itself, whoever wrote it.
    """

    __slots__ = ("_at", "_directives", "_issuer", "_names", "_zone", "unread")

    def __init__(
        self,
        directives: Sequence[Directive],
        *,
        at: datetime,
        issuer: str,
        zone: tzinfo,
        names: Names,
        unread: bool = False,
    ) -> None:
        ours = f"{issuer}/grants"
        kept = (each for each in directives if not (each.plain and any(ours == name for name, _ in each.identifiers)))
        self._directives = _DENY_ALL if unread else tuple(kept)
        self._at = at
        self._issuer = issuer
        self._zone = zone
        self._names = names
        self.unread = unread

    @property
    def changes_at(self) -> datetime | None:
        """When the next period begins or ends; None: never."""
        ends = (end for each in self._directives for end in _ends(each.root))
        return min((end for end in ends if end > self._at), default=None)

    def judge(self, client_id: str, purpose: str) -> Judge:
        """What they say to an app that asks for this purpose."""
        asker = Asker((f"{self._issuer}/clients", client_id), purpose, self._names(client_id))
        return Judge.of(self._directives, asker, self._at, self._zone)


def read_all(filed: Sequence[Filed], zone: tzinfo) -> tuple[Directive, ...]:
    """The directives among them. Raises Unreadable."""
    return tuple(each for each in (read_directive(one, zone) for one in filed) if each is not None)


@lru_cache(maxsize=512)
def judge_of(on_file: OnFile, client_id: str, purpose: str) -> Judge:
    """As `OnFile.judge`; kept, since each study of a question asks for the same."""
    return on_file.judge(client_id, purpose)


def keeping_study(client_id: str, purpose: str, study: StudyFacts) -> tuple[str, ...]:
    """The ids of the Consents that keep the study from the app; none: it is not kept."""
    return () if study.on_file is None else judge_of(study.on_file, client_id, purpose).of_study(study)


def keeping_report(client_id: str, purpose: str, study: StudyFacts, report: ReportKnown) -> tuple[str, ...]:
    """As `keeping_study`, for a report of the study."""
    return () if study.on_file is None else judge_of(study.on_file, client_id, purpose).of_report(study, report)


def keeping_reports(client_id: str, purpose: str, study: StudyFacts) -> tuple[str, ...]:
    """As `keeping_study`, for all reports of the study."""
    return () if study.on_file is None else judge_of(study.on_file, client_id, purpose).of_reports(study)


def keeping_person(client_id: str, purpose: str, on_file: OnFile | None) -> tuple[str, ...]:
    """As `keeping_study`, for who the patient is."""
    return () if on_file is None else judge_of(on_file, client_id, purpose).of_person()


def _ends(provision: Provision) -> Iterator[datetime]:
    if provision.period is not None:
        yield from (end for end in (provision.period.start, provision.period.end) if end is not None)
    for nested in provision.nested:
        yield from _ends(nested)
