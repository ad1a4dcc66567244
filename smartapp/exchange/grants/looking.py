"""What people see of their grants: what each may see, what it did see, and what terms would reach."""

from collections.abc import Mapping
from dataclasses import replace

from smartapp.audit.usage import Usage, Used
from smartapp.consent.grants.model import Grant, Terms
from smartapp.consent.reach import Reach
from smartapp.exchange.grants import reports
from smartapp.exchange.grants.desk import Desk
from smartapp.exchange.grants.kept import kept_from, kept_of
from smartapp.exchange.grants.model import GrantView, Preview, Totals, UsedStudy
from smartapp.exchange.grants.terms import itself, matching, matching_with_labels
from smartapp.identity.model import Principal
from smartapp.records.model import StudySummary


class Looking:
    """The use-case that changes nothing."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def preview(self, principal: Principal, terms: Terms, *, client_id: str, request_id: str) -> Preview:
        """What the terms reach today for the app, out of what the person may see; the EHR and the PACS are asked no
        more than for the list of studies.
        """
        reach = Reach(terms.scopes, replace(terms, future=True), itself)
        known = self._desk.records.known(principal, request_id, reach, client_id=client_id)
        reached = matching(terms, known.studies)
        with_all = matching_with_labels(terms, known.studies)
        hidden = kept_from(client_id, terms.purpose, reached) | known.unshowable
        found = sum(reports.reached(reach, study, link) for study in known.studies for link in known.reports[study.uid])
        kept = kept_of(client_id, reach, known, reached)
        return Preview(
            studies=tuple(known.summaries[study.uid] for study in reached if study.uid not in hidden),
            reports=0 if kept.unread else found - kept.reports,
            withheld_sensitive=len(with_all) - len(reached),
            unshowable=len(known.unshowable),
            problems=known.problems,
            kept=kept,
        )

    def list(self, principal: Principal) -> tuple[GrantView, ...]:
        """All grants over the open record, those that are over too, newest first. Nothing upstream is asked."""
        self._desk.audit.flush()
        with self._desk.database.read() as session:
            grants = self._desk.grants.of_patient(session, principal.patient)
        return tuple(self._view(principal, grant, self._usage(grant, ()), {}) for grant in grants)

    def view(self, principal: Principal, grant_id: str, *, request_id: str) -> GrantView:
        """One grant, with what the app did see of each study. NotFound for one over another record."""
        self._desk.audit.flush()
        with self._desk.database.read() as session:
            grant = self._desk.grant_of(session, principal, grant_id)
        known = self._desk.records.known(principal, request_id)
        reach = Reach(grant.terms.scopes, replace(grant.terms, future=True), itself)
        kept = kept_of(grant.client_id, reach, known, matching(grant.terms, known.studies))
        return replace(self._view(principal, grant, self._usage(grant, known.summaries), known.summaries), kept=kept)

    def _usage(self, grant: Grant, uids: Mapping[str, StudySummary] | tuple[()]) -> Usage:
        chosen = grant.terms.chosen or frozenset()
        return self._desk.usage.of(grant.patient, grant.id, {*uids, *chosen})

    def _view(
        self, principal: Principal, grant: Grant, usage: Usage, summaries: Mapping[str, StudySummary]
    ) -> GrantView:
        app = self._desk.apps.named(grant.provider, grant.client_id)
        with self._desk.database.read() as session:
            history = self._desk.grants.events(session, grant.id)
        return GrantView(
            grant=grant,
            app=app,
            state=self._desk.state_of(grant, app),
            terms=grant.terms,
            history=history,
            mine=grant.person_id == principal.person_id,
            totals=_totals(usage),
            used=_used(usage, summaries),
            looked_at_list=usage.record.last_at if usage.record else None,
        )


def _totals(usage: Usage) -> Totals:
    every = usage.all
    last_at = max((each.last_at for each in every), default=None)
    return Totals(sum(each.instances for each in every), sum(each.bytes for each in every), last_at)


def _used(usage: Usage, summaries: Mapping[str, StudySummary]) -> tuple[UsedStudy, ...]:
    """The last one used first."""
    named = [_one(used, summaries.get(uid)) for uid, used in usage.studies.items()]
    return tuple(sorted([*named, *(_one(used, None) for used in usage.others)], key=_last, reverse=True))


def _last(used: UsedStudy) -> float:
    return used.last_at.timestamp()


def _one(used: Used, study: StudySummary | None) -> UsedStudy:
    return UsedStudy(study, used.extent, used.instances, used.bytes, used.first_at, used.last_at)
