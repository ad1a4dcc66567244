"""PyPI `fhirpy`, both of its clients: paging to the end, counting, reading by reference, including."""

import asyncio

from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

from tests.clients.python.told import Told, found, given


async def at_once(told: Told) -> dict[str, object]:
    client = AsyncFHIRClient(told["fhir"], authorization=f"Bearer {told['token']}")
    studies = client.resources("ImagingStudy").search(patient=told["patient"])
    paged = [study async for study in studies.limit(told["page"])]
    everything = await studies.limit(told["page"]).fetch_all()
    return {
        "total": await studies.count(),
        "paged": [study.id for study in paged],
        "fetched": [study.id for study in everything],
        "scans": await client.resources("ImagingStudy").search(patient=told["patient"], modality="CT").count(),
        "patient": (await client.reference("Patient", told["patient"]).to_resource()).id,
    }


def in_turn(told: Told) -> dict[str, object]:
    client = SyncFHIRClient(told["fhir"], authorization=f"Bearer {told['token']}")
    studies = client.resources("ImagingStudy").search(patient=told["patient"]).limit(told["page"])
    one = studies.include("ImagingStudy", "endpoint").first()
    endpoint = client.reference("Endpoint", one.endpoint[0].reference.partition("/")[2]).to_resource()
    try:
        client.reference("ImagingStudy", "nothing").to_resource()
        missing = ""
    except ResourceNotFound as refused:
        missing = str(refused)
    try:
        client.resource("ImagingStudy", status="available").save()
        written = ""
    except OperationOutcome as refused:
        written = refused.resource["issue"][0]["code"]
    return {
        "in_turn": [study.id for study in studies],
        "endpoint": endpoint.address,
        "missing": missing,
        "written": written,
    }


if __name__ == "__main__":
    it = given()
    found(**asyncio.run(at_once(it)), **in_turn(it))
