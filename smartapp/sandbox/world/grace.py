"""Grace, who has been a patient for eight years: every kind of scan, in every transfer syntax that archives hold."""

from dataclasses import replace

from smartapp.sandbox.world.model import EXPLICIT, Anatomy, Person, Report, Series, Study, series, uid_for

IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
HTJ2K = "1.2.840.10008.1.2.4.201"

_CHEST = ("CHEST", ("51185008", "Thoracic structure"))
_HEAD = ("HEAD", ("69536005", "Head structure"))
_ABDOMEN = ("ABDOMEN", ("818983003", "Abdomen"))
_BRAIN = ("BRAIN", ("12738006", "Brain structure"))
_HAND = ("HAND", ("85562004", "Hand structure"))
_KNEE = ("KNEE", ("72696002", "Knee region structure"))
_BREAST = ("BREAST", ("76752008", "Breast structure"))
_THYROID = ("THYROID", ("69748006", "Thyroid structure"))
_HEART = ("HEART", ("80891009", "Heart structure"))
_CT = (128, 128)


def grace(mrn: str) -> Person:
    """The person with her twelve studies, oldest first."""
    return Person("grace", "Mbeki", "Grace", "1968-01-27", "female", ((mrn, "SE-1005"),), _studies())


def _studies() -> tuple[Study, ...]:
    chest = _study("chest", "ct-chest", "2018-11-05T08:30:00-06:00", "CT chest without contrast", _CHEST)
    head = _study("head", "ct-head", "2019-04-16T14:10:00-05:00", "CT head without contrast", _HEAD)
    abdomen = _study("abdomen", "ct-abdomen", "2020-01-22T09:15:00-06:00", "CT abdomen with contrast", _ABDOMEN)
    brain = _study("brain-mr", "mr-brain", "2020-10-08T11:00:00-05:00", "MR brain", _BRAIN)
    hand = _study("hand", "xr-hand", "2021-03-30T16:45:00-05:00", "X-ray left hand", _HAND)
    knee = _study("knee", "xr-knee", "2021-12-13T10:05:00-06:00", "X-ray right knee", _KNEE)
    heart = _study("doppler", "us-heart", "2022-07-01T13:30:00-05:00", "Ultrasound of the heart", _HEART)
    thyroid = _study("ultrasound", "us-thyroid", "2023-02-17T08:50:00-06:00", "Ultrasound of the thyroid", _THYROID)
    pet = _study("pet", "pet-ct", "2023-11-21T07:40:00-06:00", "PET/CT chest", _CHEST)
    breast = _study("breast", "mammography", "2024-09-03T15:20:00-05:00", "Mammography, both breasts", _BREAST)
    follow_up = _study("brain-mr", "mr-follow-up", "2025-10-14T12:25:00-05:00", "MR brain, follow-up", _BRAIN)
    measured = _study("chest", "ct-measured", "2026-06-09T09:55:00-05:00", "CT chest, follow-up", _CHEST)
    return (
        _with(chest, (150.0, 5.0), _ct(chest, 1, "Chest 5 mm", 6, JPEG_LS), conclusion="No nodules."),
        _with(head, (45.0, 5.0), _ct(head, 1, "Head 5 mm", 6, JPEG_2000)),
        _with(abdomen, (10.0, 5.0), _ct(abdomen, 1, "Portal venous 5 mm", 8, DEFLATED), conclusion="Normal liver."),
        _with(brain, (30.0, 5.0), _mr(brain, 1, "T1 axial", 4, RLE), _mr(brain, 2, "T2 axial", 4, RLE)),
        _with(hand, None, _series(hand, 1, "Hand PA", "DX", 1, (256, 208), JPEG_LOSSLESS)),
        _with(knee, None, _series(knee, 1, "Knee AP", "DX", 1, (256, 208), IMPLICIT), conclusion="No fracture."),
        _with(heart, None, _series(heart, 1, "Four chambers, colour", "US", 1, (192, 256), JPEG_BASELINE, 12)),
        _with(thyroid, None, _series(thyroid, 1, "Right lobe", "US", 1, (192, 256), frames=20)),
        _with(pet, (120.0, 5.0), _ct(pet, 1, "CT 5 mm", 6, IMPLICIT), _series(pet, 2, "PET", "PT", 6, (64, 64))),
        _with(breast, None, _series(breast, 1, "Four views", "MG", 4, (320, 256), JPEG_2000), conclusion="No mass."),
        _with(follow_up, (55.0, 5.0), _mr(follow_up, 1, "T1 axial", 1, HTJ2K)),
        _with(
            measured, (224.0, 7.0), _ct(measured, 1, "Chest 5 mm", 3), _series(measured, 2, "Measurements", "SR", 1),
            _series(measured, 3, "Report as PDF", "DOC", 1), conclusion="A nodule of 5 mm, unchanged.",
        ),
    )  # fmt: skip


def _study(anatomy: Anatomy, kind: str, started: str, description: str, where: tuple[str, tuple[str, str]]) -> Study:
    body_part, body_site = where
    return Study(
        uid=uid_for(f"st-elsewhere/grace/{kind}"),
        imaging_study_id=f"img-grace-{kind}",
        service_request_id=f"order-grace-{kind}",
        accession=f"G{started[2:4]}{started[5:7]}{started[8:10]}001",
        started=started,
        description=description,
        anatomy=anatomy,
        body_part=body_part,
        body_site=body_site,
        modalities=(),
        series=(),
    )


def _with(study: Study, slab: tuple[float, float] | None, *of: Series, conclusion: str = "") -> Study:
    issued = f"{study.started[:11]}17:00:00{study.started[19:]}"
    id_ = study.imaging_study_id.replace("img-", "rep-")
    report = Report(id_, "final", issued, study.description, conclusion, conclusion) if conclusion else None
    modalities = tuple(dict.fromkeys(one.modality for one in of))
    return replace(study, slab=slab, series=of, modalities=modalities, report=report)


def _series(
    study: Study,
    number: int,
    description: str,
    modality: str,
    slices: int,
    size: tuple[int, int] = (0, 0),
    transfer_syntax: str = EXPLICIT,
    frames: int = 1,
) -> Series:
    return series(study.uid, number, description, modality, slices, size, "none", transfer_syntax, frames)


def _ct(study: Study, number: int, description: str, slices: int, syntax: str = EXPLICIT) -> Series:
    return replace(_series(study, number, description, "CT", slices, _CT, syntax), kernel="soft")


def _mr(study: Study, number: int, description: str, slices: int, syntax: str) -> Series:
    return _series(study, number, description, "MR", slices, _CT, syntax)
