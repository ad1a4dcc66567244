"""Mercy General: a second hospital where Ana was once, and whose EHR publishes no ImagingStudy."""

from smartapp.sandbox.world.model import Hospital, Person, Report, User, radiograph

MRN = "urn:oid:2.16.840.1.113883.19.77"


def mercy() -> Hospital:
    """The hospital with its one patient: her study is known to its PACS alone, her report is found by its order."""
    knee = ("X-ray left knee", "KNEE", "72696002", "Knee region structure")
    report = Report(
        "rep-ana-m-knee", "final", "2022-01-21T12:00:00-05:00", "X-ray left knee",
        "No fracture. No fluid in the joint.", "Normal knee.",
    )  # fmt: skip
    ana = Person(
        "m-ana", "Rivera", "Ana M.", "1979-04-08", "female", ((MRN, "MH-5501"),),
        (radiograph("mercy", "m-ana", "knee", "2022-01-21T09:00:00-05:00", "M220121001", knee, report),),
    )  # fmt: skip
    users = (User("ana", "ana-mercy", "patient", "Patient/m-ana", "Ana M. Rivera", ("m-ana",)),)
    return Hospital(
        "mercy", "Mercy General Hospital", MRN, "MERCY", "America/New_York", (ana,), users, imaging_study=False,
        website="https://www.mercy.example.org", city=("Albany", "NY"),
    )  # fmt: skip
