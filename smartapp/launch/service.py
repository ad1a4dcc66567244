"""The launch, from the first redirect to a credential that is kept (SMART App Launch 2.2)."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.audit.upstreams import event_of
from smartapp.clock import Clock
from smartapp.errors import LaunchRefused, SmartappError, UpstreamError, UpstreamMalformed
from smartapp.identity.model import PatientKey, PrincipalKind
from smartapp.launch import providers
from smartapp.launch.begin import authorize_url, checked_launch, flow_secret, new_state
from smartapp.launch.callback import PURPOSE, check_issuer, code_of, singles, taken_flow
from smartapp.launch.checks.fhir_user import read_fhir_user
from smartapp.launch.checks.token_answer import read_token_answer
from smartapp.launch.ehr_keys import EhrKeys
from smartapp.launch.ehrs import Ehr, Ehrs
from smartapp.launch.flows import Flows
from smartapp.launch.id_token import IdTokens
from smartapp.launch.keeper import TokenKeeper
from smartapp.launch.model import BegunLaunch, CompletedLaunch, Mode, PendingFlow, TokenAnswer
from smartapp.launch.pkce import new_verifier
from smartapp.launch.refusals import Refusal, refuse, severity
from smartapp.launch.scopes import asked_for
from smartapp.launch.token_request import ask_token, code_grant
from smartapp.security.keyring import Keyring
from smartapp.settings import Provider, Settings
from smartapp.tokens.single_use import SingleUse


@dataclass(frozen=True)
class _Wanted:
    """The flow that is to begin."""

    provider: Provider
    mode: Mode
    iss: str
    launch: str | None = None
    after: str = ""
    lasting: bool = False
    anew: bool = False


class Launcher:
    """Sends browsers to their EHR and receives them back."""

    def __init__(
        self,
        settings: Settings,
        ehrs: Ehrs,
        keeper: TokenKeeper,
        keyring: Keyring,
        single_use: SingleUse,
        audit: AuditTrail,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._ehrs = ehrs
        self._keeper = keeper
        self._keyring = keyring
        self._flows = Flows(single_use)
        self._id_tokens = IdTokens(EhrKeys(clock), clock)
        self._audit = audit
        self._redirect_uri = settings.server.base_url.rstrip("/") + "/callback"

    def begin(
        self,
        *,
        iss: str | None = None,
        provider_id: str | None = None,
        launch: str | None = None,
        browser_secret: str | None = None,
        after: str = "",
        lasting: bool = False,
        anew: bool = False,
        request_id: str = "",
    ) -> BegunLaunch:
        """Begins a flow: an EHR launch (`iss`, `launch`) or a standalone one (`provider_id`).

        `browser_secret` is the flow cookie that the browser brought, if any; `after` a handle of ours that `complete`
        gives back; `lasting` asks the EHR for a credential that outlives the session, `anew` to have the person sign in
        even if they are. Raises LaunchRefused (nothing is asked of the network for an `iss` that is not configured),
        Upstream errors when the EHR does not answer.
        """
        with self._refusals_recorded(request_id) as facts:
            if iss is not None:
                provider = providers.by_iss(self._settings, iss)
                return self._begin(_Wanted(provider, "ehr", iss, launch), browser_secret, facts)
            provider = providers.by_id(self._settings, provider_id or "")
            wanted = _Wanted(provider, "standalone", provider.iss, after=after, lasting=lasting, anew=anew)
            return self._begin(wanted, browser_secret, facts)

    def complete(
        self, params: Mapping[str, Sequence[str]], browser_secret: str | None, *, request_id: str = ""
    ) -> CompletedLaunch:
        """Ends the flow that the callback's `state` names; it is spent whatever the outcome.

        Raises LaunchRefused for whatever does not hold together (the token endpoint is not asked until `state`,
        browser and `iss` are right), Upstream errors when the EHR does not answer.
        """
        with self._refusals_recorded(request_id) as facts:
            given = singles(params)
            flow = taken_flow(self._flows, self._keyring, given.get("state"), browser_secret)
            facts["provider"] = flow.provider
            check_issuer(flow, given.get("iss"))
            ehr = self._ehr(flow)
            answer = self._redeem(ehr, flow, code_of(given))
            try:
                return self._completed(ehr, flow, answer, request_id)
            except SmartappError:
                self._keeper.give_back(flow.provider, answer.access_token, answer.refresh_token)
                raise

    def _begin(self, wanted: _Wanted, brought: str | None, facts: dict[str, str]) -> BegunLaunch:
        provider = wanted.provider
        facts["provider"] = provider.id
        handle = checked_launch(wanted.launch) if wanted.mode == "ehr" else None
        secret, state = flow_secret(brought), new_state()
        flow = PendingFlow(
            provider=provider.id,
            mode=wanted.mode,
            iss=wanted.iss,
            nonce=secrets.token_urlsafe(32),
            verifier=new_verifier(),
            browser=self._keyring.mac(PURPOSE, secret),
            asked=asked_for(provider.scopes, wanted.mode, lasting=wanted.lasting),
            metadata=self._ehrs.metadata(self._ehrs.of(provider.id), wanted.iss),
            after=wanted.after,
        )
        self._flows.put(state, flow)
        url = authorize_url(
            provider, flow, state=state, redirect_uri=self._redirect_uri, launch=handle, anew=wanted.anew
        )
        return BegunLaunch(url, secret)

    def _ehr(self, flow: PendingFlow) -> Ehr:
        try:
            return self._ehrs.of(flow.provider)
        except KeyError:
            return refuse("smart.iss.unknown", "provider")

    def _redeem(self, ehr: Ehr, flow: PendingFlow, code: str) -> TokenAnswer:
        form = code_grant(code, flow.verifier, self._redirect_uri)
        try:
            reply = ask_token(ehr.door, ehr.identity, flow.metadata, form)
        except UpstreamMalformed as error:
            raise Refusal("smart.token.bad", error.code) from error
        if reply.answer is None:
            refuse("smart.token.refused", reply.error)
        return read_token_answer(reply.answer, flow.asked)

    def _completed(self, ehr: Ehr, flow: PendingFlow, answer: TokenAnswer, request_id: str) -> CompletedLaunch:
        if answer.id_token is None:
            refuse("smart.idtoken.bad", "missing")
        claims = self._id_tokens.verify(answer.id_token, flow, ehr.provider.client_id, ehr.door)
        if answer.patient is None:
            refuse("smart.context.missing", "patient")
        bases = (flow.iss, ehr.provider.iss, *ehr.provider.iss_aliases)
        user = read_fhir_user(claims.fhir_user, bases, answer.patient)
        patient = PatientKey(flow.provider, answer.patient)
        self._record_launch(flow, patient, user.reference, user.relation, answer.scopes, request_id)
        return CompletedLaunch(
            provider=flow.provider,
            iss=claims.issuer,
            sub=claims.sub,
            fhir_user=user.reference,
            patient_id=answer.patient,
            credential_id=self._keeper.keep(patient, answer),
            scopes=answer.scopes,
            auth_time=claims.auth_time,
            relation=user.relation,
            need_patient_banner=answer.need_patient_banner,
            imaging_studies=answer.imaging_studies,
            after=flow.after,
        )

    def _record_launch(
        self,
        flow: PendingFlow,
        patient: PatientKey,
        fhir_user: str,
        relation: PrincipalKind,
        scopes: Sequence[str],
        request_id: str,
    ) -> None:
        """What the launch came to; that the person is another patient's record holder is said loudly."""
        kinds = ["smart.launch"]
        if set(scopes) != set(flow.asked):
            kinds.append("smart.scope")
        if relation is PrincipalKind.REPRESENTATIVE and fhir_user.startswith("Patient/"):
            kinds.append("smart.context.mismatch")
        detail = {"mode": flow.mode, "relation": relation.value}
        for kind in kinds:
            self._audit.record(
                Event(kind=kind, severity=severity(kind), patient=patient, detail=detail, request_id=request_id)
            )

    @contextmanager
    def _refusals_recorded(self, request_id: str) -> Iterator[dict[str, str]]:
        """Writes the audit row of a refusal before it reaches the browser, and notes how an EHR fails; yields the facts
        that go with it.
        """
        facts: dict[str, str] = {}
        try:
            yield facts
        except LaunchRefused as refusal:
            check = refusal.detail if isinstance(refusal, Refusal) else ""
            self._audit.record(
                Event(
                    kind=refusal.code,
                    severity=severity(refusal.code),
                    detail={"check": check},
                    request_id=request_id,
                    provider=facts.get("provider", ""),
                )
            )
            raise
        except UpstreamError as error:
            event = event_of("ehr", error, facts.get("provider", ""))
            if event is not None:
                self._audit.note(event)
            raise
