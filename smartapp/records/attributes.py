"""The DICOM attributes that searches know: what may be matched, what comes back, at which level. Pure.

The list is closed: a tag that is not here can be neither asked about nor returned by a search, so private tags,
other patients' ids and the PACS's own addresses have no way out (PS3.18 §10.6.1.2, Table 10.6.3-3 to -5).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Level(IntEnum):
    """What a search returns one row for; a level's rows may also be matched by the attributes of those above it."""

    STUDY = 0
    SERIES = 1
    INSTANCE = 2


@dataclass(frozen=True)
class Attribute:
    """One attribute: `tag` is eight upper-case hexadecimal digits; `default` rows carry it without being asked."""

    tag: str
    keyword: str
    vr: str
    level: Level
    default: bool = True
    matchable: bool = True


def _rows(level: Level, lines: str) -> tuple[Attribute, ...]:
    found = []
    for line in lines.split("\n"):
        tag, keyword, vr, *marks = line.split()
        found.append(Attribute(tag, keyword, vr, level, "more" not in marks, "unmatched" not in marks))
    return tuple(found)


ATTRIBUTES: Final = (
    *_rows(
        Level.STUDY,
        """00080020 StudyDate DA
00080030 StudyTime TM
00080050 AccessionNumber SH
00080056 InstanceAvailability CS unmatched
00080061 ModalitiesInStudy CS
00080090 ReferringPhysicianName PN
00080201 TimezoneOffsetFromUTC SH unmatched
00081030 StudyDescription LO
00081190 RetrieveURL UR unmatched
00100010 PatientName PN
00100020 PatientID LO
00100030 PatientBirthDate DA
00100040 PatientSex CS
0020000D StudyInstanceUID UI
00200010 StudyID SH
00201206 NumberOfStudyRelatedSeries IS unmatched
00201208 NumberOfStudyRelatedInstances IS unmatched
00080080 InstitutionName LO more
00100021 IssuerOfPatientID LO more""",
    ),
    *_rows(
        Level.SERIES,
        """00080060 Modality CS
0008103E SeriesDescription LO
0020000E SeriesInstanceUID UI
00200011 SeriesNumber IS
00201209 NumberOfSeriesRelatedInstances IS unmatched
00400244 PerformedProcedureStepStartDate DA
00400245 PerformedProcedureStepStartTime TM
00080021 SeriesDate DA more
00080031 SeriesTime TM more
00080070 Manufacturer LO more
00180015 BodyPartExamined CS more
00181030 ProtocolName LO more
00200060 Laterality CS more""",
    ),
    *_rows(
        Level.INSTANCE,
        """00080016 SOPClassUID UI
00080018 SOPInstanceUID UI
00200013 InstanceNumber IS
00280010 Rows US unmatched
00280011 Columns US unmatched
00280100 BitsAllocated US unmatched
00280008 NumberOfFrames IS unmatched
00080008 ImageType CS more unmatched
00080023 ContentDate DA more
00080033 ContentTime TM more
0020000E SeriesInstanceUID UI""",
    ),
)

BY_NAME: Final = {name: attribute for attribute in reversed(ATTRIBUTES) for name in (attribute.tag, attribute.keyword)}
"""By tag and by keyword; where two levels carry one attribute, the upper one's entry."""

RETRIEVE_URL: Final = "00081190"


def returnable(level: Level) -> frozenset[str]:
    """The tags that a row of this level may carry at all."""
    own = {attribute.tag for attribute in ATTRIBUTES if attribute.level == level}
    return frozenset(own | {RETRIEVE_URL, "0020000D"})


def by_default(level: Level) -> frozenset[str]:
    """The tags that a row of this level carries without `includefield`."""
    own = {attribute.tag for attribute in ATTRIBUTES if attribute.level == level and attribute.default}
    return frozenset(own | {RETRIEVE_URL, "0020000D"})


SERIES_KEPT: Final = returnable(Level.SERIES)
"""What is kept of a series' row."""
