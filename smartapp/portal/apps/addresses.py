"""Addresses that apps name: shown as links, and never believed."""

from urllib.parse import urlencode, urlsplit

from smartapp.identity.apps.model import App, origin


def is_web_address(address: object) -> bool:
    """Whether this is an http(s) address with a host: nothing else becomes a link."""
    try:
        parts = urlsplit(address) if isinstance(address, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)


def host(address: str) -> str:
    """The host of a web address, so that a person sees where a link leads."""
    return urlsplit(address).hostname or ""


def homes(app: App) -> frozenset[str]:
    """The origins at which the app said that it is. Browsers hold a page's `form-action` against every redirect that
    follows, so a form that leads to the app has to name those it may go on to by itself.
    """
    said = app.metadata
    addresses = (*said.redirect_uris, said.launch_uri, said.client_uri, *said.post_logout_redirect_uris)
    return frozenset(origin(address) for address in addresses if is_web_address(address))


def with_query(address: str, **params: str) -> str:
    """The address with these parameters after those that it has."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(params)}"
