"""What `doctor` asks of a PACS: for a study that cannot exist, so that nothing of anybody's is read."""

from typing import Final
from urllib.parse import urlsplit

from smartapp.dicomweb.upstream.credentials import own_headers
from smartapp.errors import UpstreamMalformed
from smartapp.outbound.service import Outbound
from smartapp.settings import Provider

_NOBODYS_STUDY: Final = "2.25.0"


def probe_pacs(provider: Provider, outbound: Outbound) -> str:
    """Whether the PACS answers a search with our credential, in a sentence. Raises Upstream errors when it does not."""
    parts = urlsplit(provider.dicomweb)
    door = outbound.for_origins(
        f"doctor-{provider.id}", (f"{parts.scheme}://{parts.netloc}",), ca_file=provider.ca_file
    )
    headers = {"Accept": "application/dicom+json", **own_headers(provider)}
    answer = door.request(
        "GET", f"{provider.dicomweb.rstrip('/')}/studies", headers=headers, params={"StudyInstanceUID": _NOBODYS_STUDY}
    )
    if provider.dicomweb_auth == "ehr-token" and answer.status in {401, 403}:
        return "answers; its door opens with a person's EHR token only, which nobody holds now"
    if answer.status not in {200, 204}:
        raise UpstreamMalformed(f"pacs-status-{answer.status}")
    return "answers searches with our credential"
