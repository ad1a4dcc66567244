from smartapp.consent.model import Action, Extent
from tests.access.house import ANA, House, study


def test_a_patient_gets_a_permit_for_their_own_study(house: House) -> None:
    principal = house.principal()
    permit = house.access.permit(principal, Action.VIEW_IMAGES, [study()], extent=Extent.IMAGES, request_id="req-1")
    permit.check()
    permit.require("1.2.3")
    assert permit.patient == ANA
    assert permit.disclosure_id.startswith("dis-")
    house.audit.begin_stream(permit.disclosure_id)
    house.audit.count(permit.disclosure_id, instances=1, bytes=100)
    house.audit.end_stream(permit.disclosure_id, complete=True)
    house.clock.advance(600)
    assert house.audit.sweep() == 1
