"""Forms that are posted over a few kept connections, and what is answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

CONNECTIONS = 8
Form = Mapping[str, str]
Answer = dict[str, Any]


def posted(url: str, forms: Sequence[Form], headers: Sequence[Mapping[str, str]] = ()) -> list[Answer]:
    """The answers, in the order of the forms; `headers` are each form's own. AssertionError for another than 200."""
    parts = urlsplit(url)
    work = list(zip(forms, headers or [{}] * len(forms), strict=True))

    def each(first: int) -> list[Answer]:
        connection = HTTPConnection(str(parts.hostname), parts.port, timeout=120)
        try:
            return [_one(connection, parts.path, form, more) for form, more in work[first::CONNECTIONS]]
        finally:
            connection.close()

    answers: list[Answer] = [{}] * len(work)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for first, found in enumerate(pool.map(each, range(CONNECTIONS))):
            answers[first::CONNECTIONS] = found
    return answers


def _one(connection: HTTPConnection, path: str, form: Form, more: Mapping[str, str]) -> Answer:
    headers = {"Content-Type": "application/x-www-form-urlencoded", **more}
    connection.request("POST", path, urlencode(form), headers)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, (answer.status, body)
    found = json.loads(body)
    assert isinstance(found, dict)
    return found
