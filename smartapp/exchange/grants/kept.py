"""What Consents on file at the hospital keep from an app, of what its terms reach. Pure."""

from collections.abc import Collection, Iterable

from smartapp.consent.directives.onfile import keeping_person, keeping_report, keeping_study
from smartapp.consent.facts import StudyFacts
from smartapp.consent.grants.model import Terms
from smartapp.consent.reach import Reach
from smartapp.exchange.grants import reports
from smartapp.exchange.grants.model import Kept
from smartapp.records.known import Known


def kept_from(client_id: str, purpose: str, studies: Iterable[StudyFacts]) -> frozenset[str]:
    """The UIDs of those that are kept."""
    return frozenset(study.uid for study in studies if keeping_study(client_id, purpose, study))


def kept_of(client_id: str, reach: Reach, known: Known, reached: Collection[StudyFacts]) -> Kept:
    """How much of the `reached` studies, and of the reports that terms reach, is kept."""
    purpose = reach.terms.purpose
    if known.on_file is None:
        return Kept()
    if known.on_file.unread:
        return Kept(unread=True)
    return Kept(
        studies=len(kept_from(client_id, purpose, reached)),
        reports=sum(
            bool(keeping_report(client_id, purpose, study, link.known))
            for study in known.studies
            for link in known.reports[study.uid]
            if reports.reached(reach, study, link)
        ),
        everything=bool(keeping_person(client_id, purpose, known.on_file)),
    )


def without_kept(terms: Terms, client_id: str, studies: Iterable[StudyFacts]) -> tuple[Terms, tuple[StudyFacts, ...]]:
    """The terms and the studies without those that are kept: what is written down by itself is told to the app in its
    scope, and it is not to learn that there is such a study.
    """
    listed = tuple(studies)
    kept = kept_from(client_id, terms.purpose, listed)
    return terms.without(kept), tuple(study for study in listed if study.uid not in kept)
