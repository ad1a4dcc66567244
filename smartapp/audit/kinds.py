"""Every kind of row that the trail may hold, how loud it is, and what it tells. Pure; docs/audit.md is made from it.

What `detail` may hold, in every kind: words and codes of ours, ids of ours (grants, families, disclosures), the ids of
registered apps, counts, and, where there is a patient, the UIDs of studies and the ids of resources. It is sealed, with
the patient's data key where there is a patient. Never a token, code, secret, passcode, name, or the value of a query.

`qido.query`: a raw query holds other people's identifiers, and base64 hides nothing. So a row names the keys that were
asked for and what was odd about them (`PatientID:list`, `PatientID:foreign`), and no value.

`noted`: anybody can cause it in masses. The first of its like is written at once, then for five minutes no other: they
are counted, and told with their `count`. What the database itself is at fault for is written when it answers again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Loud = Literal["info", "high", "both"]


@dataclass(frozen=True)
class Kind:
    """A kind: `loud` is its severity (`both`: it says which), `noted` whether it is counted, as said above."""

    name: str
    loud: Loud
    what: str
    noted: bool = False


def _info(name: str, what: str) -> Kind:
    return Kind(name, "info", what)


def _high(name: str, what: str) -> Kind:
    return Kind(name, "high", what)


def _noted(name: str, what: str, loud: Loud = "info") -> Kind:
    return Kind(name, loud, what, noted=True)


_READING: Final = (
    _info("access.index", "The patient's list of studies was asked for anew from EHR and archive."),
    _info("access.sign-in", "The Patient that a sign-in named was read."),
    _info("access.consent", "A Consent was written into the EHR for what a patient allowed."),
    _info("disclosure.opened", "Something is about to be shown or sent: to whom, by what right, at most how much."),
    _info("disclosure.closed", "How that ended: sent, aborted, or unknown; how much."),
    _info("disclosure.aborted", "An answer was cut short, after how many bytes and instances."),
    _info("copy.begun", "A person began to make a copy for themselves."),
    _info("copy.ended", "How the making of a copy ended."),
    Kind("authz.denied", "both", "A no, with its reasons. High: a series asked for under a study that it is not of."),
    _info("authz.filtered", "How many studies, series or reports were left out of what was shown: once a disclosure."),
    Kind("authz.no_context", "both", "A token without a patient. High where its scope speaks of patients."),
    _info("authz.revoked", "A token was shown whose right is over."),
    _noted("route.denied", "A route that does not exist, or writes, was asked for with a token."),
    _noted("qido.query", "A search tried to reach past the patient: its keys, and how; never their values."),
    _noted("proxy.expired", "A representative's right has ended by itself."),
    _high("records.unmatched", "EHR and archive give a study to different people."),
)
_SESSIONS: Final = (
    _info("session.open", "A person signed in."),
    _info("session.rotate", "A session got a new secret."),
    _info("session.end", "A person ended a session."),
    _info("session.end-all", "A person ended all their sessions."),
    _info("session.expired", "A session was idle or open for too long."),
    _info("session.restored", "A session ended because an earlier database was put back."),
    _noted("csrf.fail", "A form came without its token, or from another site."),
    _noted("host.bad", "A request named another host than ours."),
    _noted("smart.context.tab", "A page of another record than the one that is open was used."),
    _noted("error.unhandled", "A fault of ours that nobody thought of: where in the code.", "high"),
    _noted("conn.slow", "A request whose body did not arrive in time was ended."),
    _info("alerts.asked", "A person asked to be written to."),
    _info("alerts.changed", "A person confirmed the address to write to."),
    _info("alerts.removed", "A person took that address back."),
)
_LAUNCH: Final = (
    _info("smart.launch", "A sign-in at an EHR came to its end."),
    _info("smart.scope", "An EHR granted other scopes than were asked for."),
    _info("smart.iss.unknown", "A launch named an EHR that is not configured."),
    _high("ssrf.blocked", "An address that leads to ourselves or our neighbours was given to us to ask."),
    _info("smart.launch.bad", "A launch without a usable launch value."),
    _info("smart.callback.bad", "A callback that says something twice, or too much."),
    _high("smart.discovery.bad", "What an EHR says of itself cannot be trusted."),
    _high("smart.state.bad", "A callback that this browser did not ask for."),
    _high("smart.mixup", "A callback that another EHR sent."),
    _info("smart.authorize.denied", "The person, or the EHR, said no."),
    _info("smart.authorize.error", "The EHR ended a sign-in with an error."),
    _info("smart.token.bad", "An EHR's token answer could not be read."),
    _info("smart.token.refused", "An EHR gave no token for its own code."),
    _high("smart.idtoken.bad", "An ID token that is not good."),
    _high("smart.idtoken.nonce", "An ID token that was not asked for by this sign-in."),
    _info("smart.jwks", "An EHR's keys could not be had, or hold none that fits."),
    _info("smart.context.missing", "An EHR named no patient."),
    _high("smart.context.mismatch", "Somebody else than the patient signed in, or a refresh named another patient."),
    _info("smart.fhiruser.bad", "Who signed in cannot be placed."),
    _info("smart.refresh", "An EHR token was replaced."),
    _info("smart.expired", "An EHR token ended, and there is no other."),
    _info("smart.revoked_upstream", "The EHR takes our token no longer: it is erased."),
    _info("smart.system.token", "We got a token as a backend service."),
    _info("smart.system.use", "An EHR was read as a backend service, for an app's grant."),
    _info("smart.system.stand", "A grant stands on our backend service from now on."),
    _high("smart.system.refused", "An EHR refuses us as a backend service."),
)
_UPSTREAMS: Final = (
    _high("pacs.mismatch", "The archive gave data of somebody or something else: none of it left."),
    _noted("pacs.down", "The archive is not there, or asks us to wait."),
    _noted("pacs.429", "The archive asks us to come less often."),
    _noted("pacs.stall", "The archive began to answer, and stopped."),
    _noted("pacs.short", "The archive sent less than it announced, or than was asked for."),
    _noted("pacs.bad", "The archive's answer is none: another status, another type, a redirect."),
    _noted("pacs.malformed", "The archive's multipart body or DICOM file is broken."),
    _noted("dicom.bomb", "A file that inflates beyond measure."),
    _noted("dicom.dims", "A picture whose size cannot be true, or is too much."),
    _noted("dicom.depth", "A file nested too deep, or of too many items."),
    _noted("dicom.preamble", "A file whose preamble was not empty; it was sent with zeros."),
    _noted("dicom.uid_bad", "A UID that is none."),
    _high("ehr.mismatch", "The EHR gave data of somebody else: withheld."),
    _high("ehr.names-others", "A report came to name another patient besides: withheld."),
    _noted("ehr.down", "The EHR is not there, or asks us to wait."),
    _noted("ehr.429", "The EHR asks us to come less often."),
    _noted("ehr.slow", "The EHR did not answer in time."),
    _noted("ehr.malformed", "The EHR's answer cannot be read."),
    _noted("ehr.bad", "The EHR answered with an error."),
    _noted("ehr.paging", "The EHR's answer is too long, or its pages do not end."),
    _noted("upstream.bomb", "A compressed answer that inflates beyond measure, or must not be compressed."),
    _noted("tls.fail", "An upstream's certificate is not good: nothing was sent.", "high"),
    _noted("smart.offorigin", "An EHR's answer leads to another server: not followed.", "high"),
)
_TOKENS: Final = (
    _info("token.issued", "Tokens were handed out."),
    _info("token.scope_denied", "A backend service asked for what it may not have."),
    _high("token.wrong_use", "A token of ours was shown as what it is not."),
    _info("token.bad_transport", "An access token was sent where it must not be."),
    _info("oauth.authorize.reject", "An authorization request that was answered by a page."),
    _info("oauth.param.duplicate", "A parameter was given twice."),
    _info("oauth.redirect.missing", "An authorization request without redirect_uri."),
    _info("oauth.redirect.mismatch", "A redirect_uri that is not the app's."),
    _info("oauth.pkce.missing", "An authorization request without PKCE."),
    _high("oauth.pkce.downgrade", "A code without a challenge was shown."),
    _info("oauth.pkce.fail", "A code with a wrong verifier."),
    _info("oauth.request_obj", "A request object, which is not taken."),
    _info("oauth.request_uri", "A request_uri, which is not taken."),
    _high("oauth.code.replay", "A code was shown twice: all its tokens are over."),
    _high("oauth.code.client_mismatch", "A code of another app was shown."),
    _info("oauth.code.redirect_mismatch", "A code with another redirect_uri."),
    _info("oauth.code.expired", "A code too late."),
    _info("oauth.code.dead_grant", "A code whose grant is over."),
    _info("oauth.code.unknown", "What was shown as a code is none."),
    _high("oauth.refresh.reuse", "A spent refresh token was shown: its line is over, and the person told."),
    _info("oauth.refresh.race", "A refresh token was shown twice at once."),
    _high("oauth.refresh.escalate", "A refresh asked for more than was granted."),
    _high("oauth.refresh.client_mismatch", "A refresh token of another app was shown."),
    _info("oauth.refresh.dead_grant", "A refresh token whose grant is over."),
    _info("oauth.refresh.unknown", "What was shown as a refresh token is none."),
    _info("oauth.revoke", "An app gave a token back."),
    _high("oauth.revoke.client_mismatch", "An app tried to give back another's token."),
    _high("consent.tamper", "An approval's form was forged, or holds more than was shown."),
    _noted("ratelimit", "Too many failed authentications, from one address or as one app."),
)
_CLIENTS: Final = (
    _high("client.auth.wrong_method", "An app authenticates in another way than it registered."),
    _high("client.auth.alg", "An assertion with an algorithm that is not taken."),
    _high("client.auth.header", "An assertion that brings its own key, or points to one."),
    _info("client.auth.kid", "An assertion whose key is not among the app's."),
    _info("client.auth.crit", "An assertion that demands an extension."),
    _info("client.auth.time", "An assertion outside of its time, or of too long a time."),
    _info("client.auth.claims", "An assertion whose claims do not fit."),
    _high("client.auth.jti_replay", "An assertion was shown twice."),
    _info("client.auth.malformed", "What was shown as an app's proof is none."),
    _info("client.auth.double", "An app authenticates in two ways at once."),
    _info("client.auth.secret", "A wrong secret."),
    _info("client.auth.signature", "A wrong signature."),
    _info("client.auth.unknown", "An app that is not registered."),
    _info("client.auth.none", "Somebody who must show who they are showed nothing."),
    _info("client.auth.failed", "An app's authentication failed."),
    _info("client.jwks.bad", "An app's key set cannot be had, or not be used."),
    _info("dcr.registered", "An app was registered."),
    _info("dcr.updated", "An app's registration was changed."),
    _info("dcr.deleted", "An app's registration was removed."),
    _info("dcr.secret", "An app got a new secret."),
    _info("dcr.reject", "A registration was refused."),
    _info("dcr.token", "A registration without a good initial access token."),
    _high("dcr.idor", "The registration of one app was asked for with another's token."),
    _noted("dcr.ratelimit", "Too many registrations from one address."),
    Kind("app.decided", "both", "The operator decided about an app. High: it is suspended."),
    _info("developer.asked", "An app's developer asked for a link to sign in."),
    _info("developer.signed-in", "An app's developer signed in."),
    _info("developer.signed-out", "An app's developer signed out."),
)
_GRANTS: Final = (
    _info("grant.approved", "A person allowed an app something."),
    _info("grant.refused", "A person said no to an app."),
    _info("grant.changed", "A person changed what an app may."),
    _info("grant.paused", "A person paused an app."),
    _info("grant.resumed", "A person let an app go on."),
    _info("grant.woken", "A person woke a grant that had not been used for long."),
    _info("grant.dormant", "A grant was not used for long, and sleeps."),
    _info("grant.needs-sign-in", "A grant waits for its person to sign in at the hospital again."),
    _info("grant.signed-in", "That person did."),
    _info("grant.ended", "A grant was ended."),
    _info("grant.expired", "A grant's time is over."),
    _high("grant.frozen", "The patient's record was merged into another: a grant waits to be allowed anew."),
)
_KEEPING: Final = (
    _info("worklist.opened", "A study that does not match was put on the staff's list."),
    _info("worklist.reopened", "It does not match again."),
    _info("worklist.corrected", "It matches now."),
    _info("worklist.removed", "Entries that were kept for long enough were removed."),
    _info("worklist.listed", "Staff looked at the list."),
    _info("worklist.shown", "Staff looked at an entry."),
    _info("worklist.taken", "Staff took an entry on."),
    _info("worklist.settled", "Staff settled an entry."),
    _high("worklist.failed", "The list could not be written."),
    _high("restore.epoch", "An earlier database was put back: all tokens and sessions are over."),
    _noted("db.busy", "The database did not answer in time: nothing was read, nothing left."),
    _noted("db.unknown_commit", "The database was lost in COMMIT."),
    _noted("disk.full", "A disk is full: of the database, or of the cache.", "high"),
    _noted("notify.retry", "A letter could not be sent, and will be tried again."),
    _noted("job.retry", "A job could not be done, and will be tried again."),
    _noted("job.dead", "A job is given up."),
)
GROUPS: Final[Mapping[str, Iterable[Kind]]] = {
    "What is read, and what is refused": _READING,
    "Sessions and requests": _SESSIONS,
    "Sign-in at EHRs": _LAUNCH,
    "EHRs and archives that fail": _UPSTREAMS,
    "Tokens of apps": _TOKENS,
    "Who apps are": _CLIENTS,
    "What patients allow": _GRANTS,
    "Keeping house": _KEEPING,
}
KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for group in GROUPS.values() for kind in group}
