"""Ana's studies at St. Elsewhere: the ones that the tour shows."""

from smartapp.sandbox.world.model import Report, Study, radiograph, series, uid_for

_KNEE = ("X-ray right knee", "KNEE", "72696002", "Knee region structure")


def ana_studies() -> tuple[Study, ...]:
    """A large CT, a preliminary report, an amended one, an MR, and an X-ray that nobody has read yet."""
    return (
        _ct_chest(), _ct_head(), _xr_hand(), _mr_brain(),
        radiograph("st-elsewhere", "ana", "knee", "2026-11-23T16:30:00-06:00", "A261123009", _KNEE),
    )  # fmt: skip


def _ct_chest() -> Study:
    name = "st-elsewhere/ana/ct-chest"
    return Study(
        uid=uid_for(name),
        imaging_study_id="img-ana-ct-chest",
        service_request_id="order-ana-ct-chest",
        accession="A260917001",
        started="2026-09-17T09:42:00-05:00",
        description="CT chest without contrast",
        anatomy="chest",
        body_part="CHEST",
        body_site=("51185008", "Thoracic structure"),
        modalities=("CT",),
        series=(
            series(name, 1, "Chest soft tissue 1.5 mm", "CT", 200, (512, 512), "soft"),
            series(name, 2, "Chest lung 1.5 mm", "CT", 200, (512, 512), "lung"),
            series(name, 3, "Chest bone 1.5 mm", "CT", 200, (512, 512), "bone"),
        ),
        report=Report(
            id="rep-ana-ct-chest",
            status="final",
            issued="2026-09-17T15:10:00-05:00",
            title="CT chest without contrast",
            findings=(
                "The airways are open. There is a 5 mm rounded nodule in the right upper lobe. "
                "No other nodules. No fluid around the lungs. The heart is of normal size. "
                "The bones of the chest show no fracture."
            ),
            conclusion=(
                "A single 5 mm nodule in the right upper lobe, most likely harmless. A CT in 12 months is optional."
            ),
        ),
    )


def _ct_head() -> Study:
    name = "st-elsewhere/ana/ct-head"
    return Study(
        uid=uid_for(name),
        imaging_study_id="img-ana-ct-head",
        service_request_id="order-ana-ct-head",
        accession="A261120004",
        started="2026-11-20T21:05:00-06:00",
        description="CT head without contrast",
        anatomy="head",
        body_part="HEAD",
        body_site=("69536005", "Head structure"),
        modalities=("CT",),
        series=(series(name, 1, "Head 5 mm", "CT", 32, (512, 512), "soft"),),
        report=Report(
            id="rep-ana-ct-head",
            status="preliminary",
            issued="2026-11-20T21:50:00-06:00",
            title="CT head without contrast",
            findings="No bleeding. No shift of the midline. The ventricles are of normal size.",
            conclusion="No acute finding. This is a preliminary reading.",
        ),
    )


def _xr_hand() -> Study:
    name = "st-elsewhere/ana/xr-hand"
    return Study(
        uid=uid_for(name),
        imaging_study_id="img-ana-xr-hand",
        service_request_id="order-ana-xr-hand",
        accession="A250302007",
        started="2025-03-02T11:20:00-06:00",
        description="X-ray left hand, 2 views",
        anatomy="hand",
        body_part="HAND",
        body_site=("85562004", "Hand structure"),
        modalities=("DX",),
        series=(series(name, 1, "Hand PA and oblique", "DX", 2, (1024, 832)),),
        report=Report(
            id="rep-ana-xr-hand",
            status="amended",
            issued="2025-03-03T08:05:00-06:00",
            title="X-ray left hand",
            findings="No fracture. A small bone spur at the base of the thumb, added after a second reading.",
            conclusion="No fracture. Early wear at the base of the thumb.",
        ),
    )


def _mr_brain() -> Study:
    name = "st-elsewhere/ana/mr-brain"
    return Study(
        uid=uid_for(name),
        imaging_study_id="img-ana-mr-brain",
        service_request_id="order-ana-mr-brain",
        accession="A230611002",
        started="2023-06-11T14:00:00-05:00",
        description="MR brain",
        anatomy="brain-mr",
        body_part="BRAIN",
        body_site=("12738006", "Brain structure"),
        modalities=("MR",),
        series=(
            series(name, 1, "T1 axial", "MR", 24, (256, 256)),
            series(name, 2, "T2 axial", "MR", 24, (256, 256)),
        ),
        report=Report(
            id="rep-ana-mr-brain",
            status="final",
            issued="2023-06-12T10:30:00-05:00",
            title="MR brain",
            findings="Normal signal of grey and white matter. No mass. Normal flow in the large vessels.",
            conclusion="Normal MR of the brain.",
        ),
    )
