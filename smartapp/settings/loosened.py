"""What is set looser than it comes: nothing is wrong with it, if somebody decided so and knows why. Pure."""

from smartapp.settings.model import Provider, Sessions, Settings


def loosened(settings: Settings) -> list[tuple[str, str]]:
    """Pairs of a setting as it stands, and what its default guards against."""
    usual, sessions = Sessions(), settings.sessions
    checks = [
        (settings.environment == "sandbox", '[environment] name = "sandbox"', "plain http can be read on the way"),
        (sessions.idle > usual.idle, f"[sessions] idle = {sessions.idle}", "a screen left alone stays open longer"),
        (
            sessions.absolute > usual.absolute,
            f"[sessions] absolute = {sessions.absolute}",
            "a stolen cookie is good for longer",
        ),
        (
            settings.server.host not in {"127.0.0.1", "::1", "localhost"},
            f'[server] host = "{settings.server.host}"',
            "people may come past the proxy and its limits",
        ),
        (settings.mail.security == "none", '[mail] security = "none"', "letters can be read on the way"),
    ]
    found = [(setting, guards) for is_so, setting, guards in checks if is_so]
    return [*found, *(pair for provider in settings.providers for pair in _of_provider(provider))]


def _of_provider(provider: Provider) -> list[tuple[str, str]]:
    checks = [
        (provider.client_auth == "none", 'client_auth = "none"', "another program may pass for us at the EHR"),
        (
            provider.client_auth.startswith("client_secret"),
            f'client_auth = "{provider.client_auth}"',
            "the secret is shown at each use; a signed assertion is not",
        ),
        (provider.dicomweb_auth == "none", 'dicomweb_auth = "none"', "whoever reaches the PACS can read it"),
    ]
    return [(f"provider {provider.id}: {setting}", guards) for is_so, setting, guards in checks if is_so]
