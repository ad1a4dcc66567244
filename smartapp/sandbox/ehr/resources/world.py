"""All resources of a hospital, each after those it refers to: the order in which another store can take them."""

from smartapp.sandbox.ehr.resources.common import Resource, Setting
from smartapp.sandbox.ehr.resources.consents import consents
from smartapp.sandbox.ehr.resources.imaging import imaging
from smartapp.sandbox.ehr.resources.people import people
from smartapp.sandbox.ehr.resources.reports import reports


def hospital_resources(setting: Setting) -> list[Resource]:
    """The hospital's people, orders, studies, reports and consents as FHIR R4."""
    return [*people(setting), *imaging(setting), *reports(setting), *consents(setting)]
