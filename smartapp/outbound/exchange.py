"""One exchange with an upstream: origin, breaker, deadline, retries, errors."""

from collections.abc import Callable
from dataclasses import dataclass

import requests
from requests import PreparedRequest, Response

from smartapp.clock import Clock
from smartapp.errors import UpstreamDown, UpstreamError, UpstreamMalformed, UpstreamSlow
from smartapp.outbound.adapter import Adapter
from smartapp.outbound.body import read_whole
from smartapp.outbound.breaker import Breaker
from smartapp.outbound.deadline import Deadline, applies
from smartapp.outbound.origins import origin_of
from smartapp.outbound.retries import BUSY, LONGEST_WAIT, Patience, backoff, retry_after
from smartapp.settings import Upstreams


@dataclass(frozen=True)
class Exchange:
    """Sends prepared requests through one door. `breaker_of` gives the breaker of an origin."""

    adapter: Adapter
    origins: frozenset[str]
    upstreams: Upstreams
    clock: Clock
    sleep: Callable[[float], None]
    breaker_of: Callable[[str], Breaker]

    def whole(self, request: PreparedRequest, patience: Patience) -> Response:
        """The answer, its body read and inflated under the cap. Raises UpstreamError and its kinds."""
        deadline = Deadline(patience.total)

        def attempt() -> Response:
            response = self._send(request, deadline)
            try:
                body = read_whole(response, patience.max_bytes)
            except BaseException:
                response.raw.close()
                raise
            response.raw.release_conn()
            response._content, response._content_consumed = body, True  # type: ignore[attr-defined] # noqa: SLF001 -- the documented attributes read from here
            return response

        return self._repeat(request, attempt, patience, deadline)

    def head(self, request: PreparedRequest, patience: Patience) -> tuple[Response, Deadline]:
        """The answer with its body unread, and the deadline that governs the reading."""
        deadline = Deadline(patience.total)
        return self._repeat(request, lambda: self._send(request, deadline), patience, deadline), deadline

    def _repeat(
        self, request: PreparedRequest, attempt: Callable[[], Response], patience: Patience, deadline: Deadline
    ) -> Response:
        breaker = self.breaker_of(self.origin(request))
        number = 0
        while True:
            breaker.admit()
            try:
                return self._judged(attempt, breaker)
            except UpstreamDown as error:
                asked = error.retry_after or 0
                wait = asked + backoff(number)
                if number >= patience.retries or error.code == "tls" or asked > LONGEST_WAIT:
                    raise
                if deadline.remaining() <= wait:
                    raise
                self.sleep(wait)
                number += 1

    def _judged(self, attempt: Callable[[], Response], breaker: Breaker) -> Response:
        """Runs `attempt` and tells the breaker: a bad answer is a sign of life, silence is none."""
        try:
            response = attempt()
        except (UpstreamDown, UpstreamSlow) as error:
            breaker.failed()
            if (error.retry_after or 0) > LONGEST_WAIT:
                breaker.hold(error.retry_after or 0)
            raise
        except BaseException:
            breaker.succeeded()
            raise
        breaker.succeeded()
        return response

    def _check_status(self, response: Response) -> None:
        status = response.status_code
        if status < 500 and status != 429:
            return
        response.raw.close()
        if status in BUSY:
            wait = retry_after(response.headers.get("Retry-After"), self.clock.now())
            raise UpstreamDown(f"upstream-{status}", retry_after=wait)
        raise UpstreamError(f"upstream-{status}")

    def origin(self, request: PreparedRequest) -> str:
        """Where the request goes. Raises UpstreamMalformed("off-origin") when that is none of this door's origins."""
        origin = origin_of(request.url or "")
        if origin not in self.origins:
            raise UpstreamMalformed("off-origin")
        return origin

    def _send(self, request: PreparedRequest, deadline: Deadline) -> Response:
        # `from None`: what requests says names the address, which names a patient, and may come to be logged.
        times = (self.upstreams.connect_timeout, self.upstreams.read_timeout)
        try:
            with applies(deadline):
                response = self.adapter.send(request, stream=True, timeout=times, verify=True)
        except requests.ConnectTimeout:
            raise UpstreamDown from None
        except requests.Timeout:
            raise UpstreamSlow from None
        except requests.exceptions.SSLError:
            raise UpstreamDown("tls") from None
        except requests.ConnectionError:
            raise UpstreamDown from None
        except (requests.RequestException, ValueError):
            raise UpstreamMalformed from None
        self._check_status(response)
        return response
