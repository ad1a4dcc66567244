"""A registration that cannot be taken, and which of its fields says why."""

from typing import Literal

from smartapp.errors import BadInput

Error = Literal["invalid_client_metadata", "invalid_redirect_uri", "invalid_software_statement"]


class RegistrationRefused(BadInput):
    """`error` is RFC 7591 §3.2.2's; `field` the metadata's name; `problem` a stable word that pages explain."""

    def __init__(self, field: str, problem: str, error: Error = "invalid_client_metadata") -> None:
        super().__init__("dcr.reject")
        self.field = field
        self.problem = problem
        self.error = error
