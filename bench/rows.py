"""What is measured. Each function gives one row."""

from __future__ import annotations

from collections.abc import Iterator

import requests

from bench.client import drained, many
from bench.copy import copy_row
from bench.measure import Row, compare
from bench.site import DICOM, Site

JSON = "application/dicom+json"
RAW = 'multipart/related; type="application/octet-stream"'
MEGABYTE = 1_000_000


def rows(site: Site) -> Iterator[Row]:
    """All rows, in the order in which a first time comes before a second."""
    yield first_study(site)
    yield study_again(site)
    yield instances_again(site)
    yield frames_again(site)
    yield rendered(site)
    yield metadata(site)
    yield series_search(site)
    yield list_page(site)
    yield copy_row(site)


def first_study(site: Site) -> Row:
    headers = site.headers(DICOM)

    def ours() -> int:
        site.forget()
        return drained(site.ours, headers) // MEGABYTE

    return compare("P1 whole study, first time", "MB/s", ours, lambda: _study_direct(site), rounds=3, warm=False)


def study_again(site: Site) -> Row:
    headers = site.headers(DICOM)
    return compare(
        "P2 whole study, again",
        "MB/s",
        lambda: drained(site.ours, headers) // MEGABYTE,
        lambda: _study_direct(site),
    )


def _study_direct(site: Site) -> int:
    return drained(site.theirs, {"Accept": DICOM}, site.pacs_auth) // MEGABYTE


def instances_again(site: Site) -> Row:
    return _addresses(site, "P2 instances, again, 8 connections", "", DICOM, DICOM)


def frames_again(site: Site) -> Row:
    return _addresses(site, "P2 frames, again, 8 connections", "/frames/1", RAW, RAW)


def rendered(site: Site) -> Row:
    tail = "/rendered?window=-600,1500,linear"
    return _addresses(site, "P5 rendered JPEG, 8 connections", tail, "image/jpeg", "image/jpeg")


def _addresses(site: Site, name: str, tail: str, ours_accept: str, theirs_accept: str) -> Row:
    paths = [f"/series/{site.series[0]}/instances/{sop}{tail}" for sop in _sops(site)]
    headers = site.headers(ours_accept)
    return compare(
        name,
        "1/s",
        lambda: many([site.ours + path for path in paths], headers),
        lambda: many([site.theirs + path for path in paths], {"Accept": theirs_accept}, site.pacs_auth),
        rounds=3,
    )


def _sops(site: Site) -> list[str]:
    address = f"{site.ours}/series/{site.series[0]}/instances"
    listed = requests.get(address, headers=site.headers(JSON), timeout=60).json()
    return [row["00080018"]["Value"][0] for row in listed]


def metadata(site: Site) -> Row:
    return _json(site, "P4 study metadata, warm", "/metadata", 1)


def series_search(site: Site) -> Row:
    return _json(site, "P4 QIDO series, warm", "/series", 20)


def _json(site: Site, name: str, tail: str, times: int) -> Row:
    headers = site.headers(JSON)
    return compare(
        name,
        "1/s",
        lambda: many([site.ours + tail] * times, headers, connections=1),
        lambda: many([site.theirs + tail] * times, {"Accept": JSON}, site.pacs_auth, connections=1),
    )


def list_page(site: Site) -> Row:
    """Against one of the PACS calls behind it; the EHR's would come on top, so this says less than it could."""

    def ours() -> int:
        for _ in range(20):
            site.visitor.http.get(site.list_page).raise_for_status()
        return 20

    search = f"{site.sandbox['pacs']['dicomweb']}/studies?PatientID=SE-1001&includefield=all"
    return compare(
        "P3 list page, warm, against its PACS search",
        "1/s",
        ours,
        lambda: many([search] * 20, {"Accept": JSON}, site.pacs_auth, connections=1),
    )
