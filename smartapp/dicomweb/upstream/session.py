"""The session that dicomweb-client is given: ours, with the credential of one permit, and answers looked at first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from smartapp.errors import UpstreamError, UpstreamMalformed

_JSON: Final = frozenset({"application/dicom+json", "application/json"})


class NotTaken(UpstreamError):
    """401: the credential was not taken. Caught by the service, which may try once more with a fresh one."""

    code = "pacs-credential"


class Answered(Protocol):
    """The part of a `requests.Response` that is looked at."""

    status_code: int
    headers: Mapping[str, str]

    @property
    def content(self) -> bytes: ...


class Getter(Protocol):
    """The part of a `requests.Session` that is used."""

    @property
    def get(self) -> Callable[..., Any]: ...


def require_ok(status: int) -> None:
    """Raises unless the status is 200: redirects are not followed, 204 and 206 are no whole answer. 401: `NotTaken`."""
    if status == 401:
        raise NotTaken
    if status in {403, 404}:
        raise UpstreamError("pacs-refused")
    if status != 200:
        raise UpstreamMalformed("pacs-status")


@dataclass
class GuardedSession:
    """Stands where dicomweb-client expects a `requests.Session`; one is made for each call.

    It adds the credential, and leaves out the `Host` that dicomweb-client sets, which lacks the port. `more` tells
    that the last answer carried a Warning: the archive held back further rows (PS3.18 §8.3.4.4).
    """

    session: Getter
    credential: Mapping[str, str]
    headers: dict[str, str] = field(default_factory=dict)
    more: bool = False

    def get(self, url: str, headers: Mapping[str, str], **_kwargs: Any) -> Answered:
        """The answer, if it is 200 with JSON, or for a search 204."""
        sent = {name: value for name, value in headers.items() if name.lower() != "host"}
        answer: Answered = self.session.get(url, headers={**sent, **self.credential}, allow_redirects=False)
        if answer.status_code == 204:
            self.more = False
            return answer
        require_ok(answer.status_code)
        if answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() not in _JSON:
            raise UpstreamMalformed("pacs-content-type")
        self.more = "Warning" in answer.headers
        return answer
