"""What the FHIR server refuses, and the OperationOutcome that says so (FHIR R4 §3.1.0.9)."""

from typing import Any


class FhirError(Exception):
    """A refusal: HTTP status, issue code, a sentence, and what WWW-Authenticate says (RFC 6750 §3), if anything."""

    def __init__(self, status: int, code: str, text: str, challenge: str | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.challenge = challenge

    def outcome(self) -> dict[str, Any]:
        """The body of the answer."""
        issue = {"severity": "error", "code": self.code, "diagnostics": self.text}
        return {"resourceType": "OperationOutcome", "issue": [issue]}


def no_token(error: str | None) -> FhirError:
    """401: no token (no error code then, RFC 6750 §3.1) or one that is not good."""
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return FhirError(401, "login", "A valid access token is needed.", challenge)


def insufficient(text: str) -> FhirError:
    """403: the token does not reach that far."""
    return FhirError(403, "forbidden", text, 'Bearer error="insufficient_scope"')


def bad_query(text: str) -> FhirError:
    """400: a search that cannot be understood."""
    return FhirError(400, "invalid", text)


def not_found() -> FhirError:
    """404: no such resource, type or page."""
    return FhirError(404, "not-found", "There is no such resource.")
