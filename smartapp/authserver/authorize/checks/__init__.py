"""The checks, a file each. `BEFORE` answers on our page, `AFTER` at the app's redirect URI; the order is the order."""

from collections.abc import Callable
from typing import Final

from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.checks import (
    audience,
    client,
    launch,
    pkce,
    redirect,
    request_objects,
    response,
    scope,
    sign_in,
    standing,
    state,
)

Check = Callable[[Asking], None]

BEFORE: Final[tuple[Check, ...]] = (client.check, redirect.check, state.check, standing.check)
AFTER: Final[tuple[Check, ...]] = (
    request_objects.check,
    response.check,
    pkce.check,
    audience.check,
    sign_in.check,
    scope.check,
    launch.check,
)
