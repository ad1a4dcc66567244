"""What must hold for the mail server."""

import re
from typing import Final

from smartapp.errors import ConfigurationError
from smartapp.settings.addresses import is_loopback
from smartapp.settings.model import Mail
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
