"""The DICOMDIR of a copy, from the plan and from what was sent."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from smartapp.dicomweb.core.dicomdir import Record, instance_record, upper_record, write_dicomdir
from smartapp.exchange.copies.plan import PlannedStudy

FILE: Final = "DICOMDIR"
_FILE_SET: Final = "IMAGING_COPY"


def directory(studies: Sequence[PlannedStudy], syntaxes: Mapping[str, str]) -> bytes:
    """The directory; `syntaxes` has the Transfer Syntax UID of every file by its path.

    Studies under different numbers of one person (an old record number) are different PATIENT records, as their
    files say so.
    """
    patients: dict[bytes, list[Record]] = {}
    for study in studies:
        if study.series:
            patients.setdefault(study.patient, []).append(_study(study, syntaxes))
    roots = [upper_record("PATIENT", keys, below) for keys, below in patients.items()]
    return write_dicomdir(roots, f"2.25.{uuid.uuid4().int}", _FILE_SET)


def _study(study: PlannedStudy, syntaxes: Mapping[str, str]) -> Record:
    return upper_record(
        "STUDY",
        study.keys,
        [
            upper_record(
                "SERIES",
                series.keys,
                [
                    instance_record(each.keys, each.path, each.sop_class, sop, syntaxes[each.path])
                    for sop, each in series.instances.items()
                ],
            )
            for series in study.series
        ],
    )
