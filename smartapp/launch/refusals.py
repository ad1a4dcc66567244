"""Refusals of a launch: a stable code for page and audit row, and a short detail for the operator. Never personal."""

from typing import Literal, NoReturn

from smartapp.errors import LaunchRefused

HIGH = frozenset(
    {
        "ssrf.blocked",
        "smart.discovery.bad",
        "smart.state.bad",
        "smart.mixup",
        "smart.idtoken.bad",
        "smart.idtoken.nonce",
        "smart.context.mismatch",
        "smart.system.refused",
    }
)
"""Codes that somebody should look at: they do not come from an EHR and a browser that both behave."""


class Refusal(LaunchRefused):
    """A launch refused for `code`; `detail` says which check said no (`token_endpoint: origin`)."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.detail = detail


def refuse(code: str, detail: str = "") -> NoReturn:
    """Raises the Refusal."""
    raise Refusal(code, detail)


def severity(code: str) -> Literal["info", "high"]:
    """How loud the audit row of `code` is."""
    return "high" if code in HIGH else "info"
