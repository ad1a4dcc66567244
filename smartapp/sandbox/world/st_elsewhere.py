"""St. Elsewhere: the hospital of the tour, and of everybody but one."""

from smartapp.sandbox.world.ana import ana_studies
from smartapp.sandbox.world.grace import grace
from smartapp.sandbox.world.henry import henry
from smartapp.sandbox.world.ines import ines
from smartapp.sandbox.world.model import Hospital, Person, Report, User, radiograph
from smartapp.sandbox.world.nora import nora

MRN, OLD_MRN = "urn:oid:2.16.840.1.113883.19.5", "urn:oid:2.16.840.1.113883.19.4"


def st_elsewhere() -> Hospital:
    """The hospital with all of its people."""
    people = (*_tour(), grace(MRN), henry(MRN), *ines(MRN, OLD_MRN), *nora(MRN))
    return Hospital(
        "st-elsewhere", "St. Elsewhere Health", MRN, "ST-ELSEWHERE", "America/Chicago", people, _users(),
        website="https://www.st-elsewhere.example.org", city=("Springfield", "IL"),
        clinics=(("north-clinic", "North Clinic", "https://www.north-clinic.example.org"),),
    )  # fmt: skip


def _tour() -> tuple[Person, ...]:
    knee = ("X-ray right knee", "KNEE", "72696002", "Knee region structure")
    hand = ("X-ray right hand", "HAND", "85562004", "Hand structure")
    ben_report = Report(
        "rep-ben-knee", "final", "2026-02-10T12:00:00-06:00", "X-ray right knee",
        "Normal joint space. No fracture.", "Normal knee.",
    )  # fmt: skip
    ana = Person(
        "ana", "Rivera", "Ana María", "1979-04-08", "female", ((MRN, "SE-1001"), (OLD_MRN, "OLD-77")), ana_studies()
    )
    ben = Person(
        "ben", "Okafor", "Ben", "1990-12-01", "male", ((MRN, "SE-1002"),),
        (radiograph("st-elsewhere", "ben", "knee", "2026-02-10T10:15:00-06:00", "A260210003", knee, ben_report),),
    )  # fmt: skip
    chloe = Person("chloe", "Lindqvist", "Chloe", "2001-07-19", "female", ((MRN, "SE-1003"),))
    eli = Person(
        "eli", "Novak", "Eli", "2017-05-30", "male", ((MRN, "SE-1004"),),
        (radiograph("st-elsewhere", "eli", "hand", "2026-08-14T17:40:00-05:00", "A260814006", hand),),
    )  # fmt: skip
    return ana, ben, chloe, eli


def _users() -> tuple[User, ...]:
    return (
        User("ana", "ana-sandbox", "patient", "Patient/ana", "Ana María Rivera", ("ana",)),
        User("ben", "ben-sandbox", "patient", "Patient/ben", "Ben Okafor", ("ben",)),
        User("chloe", "chloe-sandbox", "patient", "Patient/chloe", "Chloe Lindqvist", ("chloe",)),
        User("grace", "grace-sandbox", "patient", "Patient/grace", "Grace Mbeki", ("grace",)),
        User("henry", "henry-sandbox", "patient", "Patient/henry", "Henry Tanaka", ("henry",)),
        User("ines", "ines-sandbox", "patient", "Patient/ines", "Inês Carvalho", ("ines",)),
        User("nora", "nora-sandbox", "patient", "Patient/nora", "Nora Lindgren", ("nora",)),
        User("dana", "dana-sandbox", "representative", "RelatedPerson/dana-for-eli", "Dana Novak", ("eli",), ("eli",)),
        User(
            "dr-lee", "lee-sandbox", "clinician", "Practitioner/lee", "Dr. Morgan Lee", ("ana", "ben", "chloe", "eli")
        ),
    )
