"""What must hold for the mail server, and for those at the hospital who get mail from us."""

import re
from collections.abc import Sequence
from typing import Final

from smartapp.errors import ConfigurationError
from smartapp.settings.addresses import is_loopback
from smartapp.settings.model import Mail, Provider
from smartapp.settings.providers import check_secret

_HOST: Final = re.compile(r"[A-Za-z0-9.:-]+")
_ADDRESS: Final = re.compile(r"[^@\s<>]+@[^@\s<>]+")


def check_mail(mail: Mail, *, sandbox: bool) -> None:
    """Raises ConfigurationError for what cannot be; nothing is asked when there is no mail server."""
    if not mail.smtp_host:
        return
    if not _HOST.fullmatch(mail.smtp_host) or mail.smtp_port > 65535:
        raise ConfigurationError("[mail] smtp_host must be a host's name, and smtp_port a port up to 65535.")
    if not _ADDRESS.fullmatch(mail.sender):
        raise ConfigurationError("[mail] sender must be the address that alerts come from, as alerts@example.org.")
    if mail.security == "none" and not (sandbox and is_loopback(mail.smtp_host)):
        raise ConfigurationError('[mail] security = "none" is for the sandbox: choose "starttls" or "tls".')
    if bool(mail.user) != bool(mail.password_file):
        raise ConfigurationError("[mail] user and password_file belong together: add the other, or remove both.")
    if mail.password_file is not None:
        check_secret(mail.password_file, f"[mail] password_file {mail.password_file}")
    if mail.ca_file is not None and not mail.ca_file.is_file():
        raise ConfigurationError(f"[mail] ca_file {mail.ca_file} is not there: put the CA's certificate there.")


def check_staff_mail(providers: Sequence[Provider], mail: Mail) -> None:
    """Raises ConfigurationError for an address that is none, or that no mail would ever reach."""
    for provider in providers:
        where = f"provider {provider.id}: staff_mail"
        if provider.staff_mail and not _ADDRESS.fullmatch(provider.staff_mail):
            raise ConfigurationError(f"{where} must be one address, as records@example.org.")
        if provider.staff_mail and not mail.smtp_host:
            raise ConfigurationError(f"{where} needs a mail server: add smtp_host to [mail], or remove it.")
