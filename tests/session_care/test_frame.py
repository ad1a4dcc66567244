"""A launch inside a frame of the EHR's goes on in a window of its own."""

import html
import re

import pytest

from tests.threats.composed import Composed
from tests.threats.hospital import Hospital


def framed(site: Composed, iss: str, destination: str = "iframe") -> tuple[int, str, str, str | None]:
    answer = site.browser().get(
        "/launch", query_string={"iss": iss, "launch": 'a"b<c'}, headers={"Sec-Fetch-Dest": destination}
    )
    headers = answer.headers
    return answer.status_code, answer.text, headers["Content-Security-Policy"], headers.get("X-Frame-Options")


@pytest.mark.threat("W5")
@pytest.mark.parametrize("destination", ["iframe", "frame", "embed", "object"])
def test_in_a_frame_there_is_one_link_to_the_same_launch(site: Composed, destination: str) -> None:
    calls = site.calls()
    hospital: Hospital = site.first
    status, page, policy, deny = framed(site, hospital.ehr.iss, destination)
    assert status == 200
    ancestors = re.search(r"frame-ancestors ([^;]*);", policy)
    assert ancestors is not None
    assert ancestors[1].split() == list(site.ground.settings.provider(hospital.id).trusted_origins)
    assert deny is None
    (link,) = re.findall(r'<a [^>]*target="_blank"[^>]*>', page)
    assert 'rel="noopener"' in link
    address = html.unescape(link.split('href="')[1].split('"')[0])
    assert "refresh" not in page
    assert "<script" not in page
    assert site.calls() == calls  # nothing was begun
    opened = site.browser().get(address, headers={"Sec-Fetch-Dest": "document"})
    assert opened.status_code == 303
    assert "launch=a%22b%3Cc" in opened.headers["Location"]


@pytest.mark.threat("W5")
def test_only_the_hospital_that_launches_may_frame_it(site: Composed) -> None:
    status, _, policy, deny = framed(site, "https://unknown.example/fhir")
    assert (status, deny) == (400, "DENY")
    assert "frame-ancestors 'none'" in policy
    _, _, policy, _ = framed(site, site.second.ehr.iss)
    first, second = (site.ground.settings.provider(each.id).trusted_origins for each in (site.first, site.second))
    assert all(origin in policy for origin in second)
    assert not any(f"{origin} " in policy or f"{origin};" in policy for origin in first)


@pytest.mark.threat("W5")
def test_no_other_page_may_be_framed(site: Composed) -> None:
    browser = site.signed_in()
    for path in ("/", f"/my/{browser.ctx}/", "/session/over", "/callback", "/signed-out", "/launch"):
        answer = browser.get(path, headers={"Sec-Fetch-Dest": "iframe"})
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
        assert answer.headers["X-Frame-Options"] == "DENY", path
