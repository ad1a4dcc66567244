"""Registration by programs (RFC 7591, RFC 7592), and what developers' pages do in the same way."""

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.errors import ConfigurationError, NotFound, NotSignedIn, TooMany
from smartapp.exchange.developers.checks.rules import Rules
from smartapp.exchange.developers.metadata import read_metadata
from smartapp.exchange.developers.reading import Document
from smartapp.exchange.developers.refusal import RegistrationRefused
from smartapp.identity.apps.model import App, AppMetadata, AppState
from smartapp.identity.apps.service import Apps, Registered
from smartapp.settings import Settings
from smartapp.tokens.limits.service import Limit, Limits


class FirstUse(Protocol):
    """Whether a token is shown for the first time (`AppTokens.first_registration`); remembered until the moment."""

    def __call__(self, token: str, until: datetime) -> bool: ...


_CHANGED: Final = "changed by its developer"
_DEVELOPER: Final = "developer"
_REMEMBERED: Final = timedelta(days=36525)
_LOOKED_AT: Final = (
    "client_name", "logo_uri", "token_endpoint_auth_method", "grant_types", "client_uri", "jwks_uri", "jwks",
    "launch_uri",
)  # fmt: skip
"""What the operator's check of identity and security rests on, beside where codes are sent and what may be asked."""


@dataclass(frozen=True)
class Changed:
    """A registration after a change; `client_secret` when the change made a new one."""

    app: App
    client_secret: str | None = field(default=None, repr=False)


class Registrations:
    """The use-case. Every refusal is written down before it is answered."""

    def __init__(
        self, settings: Settings, apps: Apps, first_use: FirstUse, limits: Limits, audit: AuditTrail, clock: Clock
    ) -> None:
        self._settings = settings
        self._apps = apps
        self._first_use = first_use
        self._limits = limits
        self._audit = audit
        self._clock = clock

    def admit(self, provider: str, address: str, *, request_id: str = "") -> None:
        """Counts an attempt to register from `address`, whatever becomes of it. TooMany after those of an hour."""
        try:
            self._limits.spend(Limit.REGISTRATIONS, address)
        except TooMany:
            self._audit.note(Event("dcr.ratelimit", provider=provider, request_id=request_id))
            raise

    def register(
        self, provider: str, document: Document, *, developer_id: str = "", request_id: str = ""
    ) -> Registered:
        """A new app, waiting for the operator; in the sandbox it need not wait. Raises RegistrationRefused."""
        metadata = self._read(provider, document, "", request_id)
        return self._apps.register(
            metadata, provider=provider, state=self._at_first, developer_id=developer_id, request_id=request_id
        )

    def look(self, provider: str, document: Document, *, request_id: str = "") -> None:
        """Raises RegistrationRefused for what `register` would refuse; nothing is registered."""
        self._read(provider, document, "", request_id)

    def require_initial_token(self, provider: str, token: str, *, request_id: str = "") -> None:
        """Raises NotSignedIn where the operator demands an initial access token (RFC 7591 §3) and `token` is none.

        Each line of the operator's file is a token that counts once.
        """
        if self._settings.apps.registration == "open":
            return
        given, until = token.encode(), self._clock.now() + _REMEMBERED
        known = [line for line in self._initial_tokens() if hmac.compare_digest(line.encode(), given)]
        if not known or not self._first_use(known[0], until):
            self._record("dcr.token", provider, "", "replayed" if known else "unknown", request_id)
            raise NotSignedIn("dcr.token")

    def of(self, provider: str, client_id: str, token: str, *, request_id: str = "") -> App:
        """The app that `token` manages (RFC 7592 §2.1). Raises NotSignedIn, the same for one of another app."""
        return self._apps.by_registration_token(provider, client_id, token, request_id=request_id)

    def change(self, app: App, document: Document, *, request_id: str = "") -> Changed:
        """Everything that the app says of itself, anew (RFC 7592 §2.2). Raises RegistrationRefused.

        What the operator looked at is looked at again when it changes: the app is pending until then, except in the
        sandbox. One that was suspended stays so.
        """
        metadata = self._read(app.provider, document, app.client_id, request_id)
        if self._must_be_looked_at(app, metadata):
            self._apps.decide(
                app.provider,
                app.client_id,
                AppState.PENDING,
                ground=_CHANGED,
                by=_DEVELOPER,
                request_id=request_id,
            )
        changed = self._apps.update(app, metadata, request_id=request_id)
        if not changed.secret_ref and metadata.token_endpoint_auth_method == "client_secret_basic":  # noqa: S105 -- a method
            secret = self._apps.new_secret(changed, request_id=request_id)
            return Changed(self._again(changed), secret)
        return Changed(changed)

    def new_secret(self, app: App, *, request_id: str = "") -> str:
        """A new client secret; the one before opens nothing any more. NotFound for an app without secrets."""
        if app.metadata.token_endpoint_auth_method != "client_secret_basic":  # noqa: S105 -- a method's name
            raise NotFound
        return self._apps.new_secret(app, request_id=request_id)

    def remove(self, app: App, *, request_id: str = "") -> None:
        """The app is gone, and with it everything that it held (RFC 7592 §2.3)."""
        self._apps.delete(app, request_id=request_id)

    @property
    def _at_first(self) -> AppState:
        return AppState.ACTIVE if self._sandbox else AppState.PENDING

    @property
    def _sandbox(self) -> bool:
        return self._settings.environment == "sandbox"

    def _read(self, provider: str, document: Document, client_id: str, request_id: str) -> AppMetadata:
        rules = Rules(self._sandbox, tuple(each.name for each in self._settings.providers))
        try:
            return read_metadata(document, rules)
        except RegistrationRefused as refusal:
            self._record("dcr.reject", provider, client_id, f"{refusal.field}: {refusal.problem}", request_id)
            raise

    def _must_be_looked_at(self, app: App, new: AppMetadata) -> bool:
        if app.state is AppState.REFUSED:
            return True
        if app.state is not AppState.ACTIVE or self._sandbox:
            return False
        old = app.metadata
        return (
            any(getattr(old, name) != getattr(new, name) for name in _LOOKED_AT)
            or not set(replace(app, metadata=new).origins) <= set(app.origins)
            or new.scope != old.scope
        )

    def _again(self, app: App) -> App:
        found = self._apps.find(app.provider, app.client_id)
        if found is None:
            raise NotFound
        return found

    def _initial_tokens(self) -> list[str]:
        file = self._settings.apps.registration_token_file
        try:
            lines = file.read_text(encoding="utf-8").splitlines() if file else []
        except OSError:
            raise ConfigurationError(
                f"{file} cannot be read: it holds the tokens that registration asks for."
            ) from None
        return [stripped for line in lines if (stripped := line.strip())]

    def _record(self, kind: str, provider: str, client_id: str, why: str, request_id: str) -> None:
        detail = {"client": client_id, "why": why}
        self._audit.record(Event(kind, detail=detail, request_id=request_id, provider=provider))
