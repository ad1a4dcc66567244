"""PyPI `fhirclient`: a standalone launch with its own PKCE, a read, a search, and a refresh."""

from fhirclient import client
from fhirclient.models.imagingstudy import ImagingStudy
from fhirclient.server import FHIRUnauthorizedException

from tests.clients.python.told import Told, found, given, person


def main(told: Told) -> None:
    settings = {
        "app_id": told["client_id"],
        "app_secret": told["client_secret"],
        "api_base": told["fhir"],
        "redirect_uri": told["redirect_uri"],
        "scope": told["scope"],
    }
    smart = client.FHIRClient(settings=settings)
    prepared = smart.prepare()
    smart.handle_callback(person(smart.authorize_url))
    search = ImagingStudy.where({"patient": smart.patient_id, "modality": "CT"})
    studies = list(search.perform_resources_iter(smart.server))
    one = ImagingStudy.read(studies[0].id, smart.server)
    facts = {
        "needed_a_launch": not prepared,
        "context": {name: value for name, value in smart.launch_context.items() if name != "id_token"},
        "name": smart.human_name(smart.patient.name[0]),
        "studies": [study.identifier[0].value for study in studies],
        "read": one.as_json() == studies[0].as_json(),
        "first": smart.server.auth.access_token,
    }
    first = smart.server.auth.access_token
    facts["refreshed"] = smart.reauthorize() and smart.server.auth.access_token != first
    facts["again"] = len(list(search.perform_resources_iter(smart.server)))
    smart.server.auth.access_token = "sat_" + "0" * 43
    try:
        ImagingStudy.read(one.id, smart.server)
    except FHIRUnauthorizedException as refused:
        facts["invented"] = refused.response.headers["WWW-Authenticate"]
    found(**facts)


if __name__ == "__main__":
    main(given())
