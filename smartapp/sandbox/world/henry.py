"""Henry, who was scanned five hundred times: a list that must stay quick. Each study is one tiny X-ray."""

from datetime import date, timedelta

from smartapp.sandbox.world.model import Person, Study, series, uid_for

STUDIES = 500
_FIRST = date(2007, 1, 9)
_EVERY = timedelta(days=14)


def henry(mrn: str) -> Person:
    """The person with all of his studies, a fortnight apart."""
    studies = tuple(_study(number) for number in range(STUDIES))
    return Person("henry", "Tanaka", "Henry", "1951-03-14", "male", ((mrn, "SE-1006"),), studies)


def _study(number: int) -> Study:
    name = f"st-elsewhere/henry/{number:03}"
    day = _FIRST + number * _EVERY
    return Study(
        uid=uid_for(name),
        imaging_study_id=f"img-henry-{number:03}",
        service_request_id=f"order-henry-{number:03}",
        accession=f"H{day:%y%m%d}001",
        started=f"{day}T09:{number % 60:02}:00-06:00",
        description="X-ray chest, 1 view",
        anatomy="thumbnail",
        body_part="CHEST",
        body_site=("51185008", "Thoracic structure"),
        modalities=("DX",),
        series=(series(name, 1, "Chest AP", "DX", 1, (64, 64)),),
    )
