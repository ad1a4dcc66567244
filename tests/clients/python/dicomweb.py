"""PyPI `dicomweb-client` with an app's token: searches, whole studies, metadata, frames, pictures."""

import io
from collections.abc import Callable
from typing import Any

from dicomweb_client.api import DICOMwebClient
from dicomweb_client.session_utils import create_session
from PIL import Image
from pydicom import Dataset
from requests import HTTPError

from tests.clients.python.told import Told, found, given


def client_of(told: Told) -> DICOMwebClient:
    headers = {"Authorization": f"Bearer {told['token']}"}
    return DICOMwebClient(told["dicomweb"], session=create_session(), headers=headers)


def searched(client: DICOMwebClient) -> Told:
    studies = [Dataset.from_json(each) for each in client.search_for_studies()]
    paged: list[str] = []
    while rows := client.search_for_studies(limit=1, offset=len(paged)):
        paged += [Dataset.from_json(each).StudyInstanceUID for each in rows]
        assert len(rows) == 1
    scans = client.search_for_studies(search_filters={"ModalitiesInStudy": "MR"})
    return {
        "studies": [study.StudyInstanceUID for study in studies],
        "paged": paged,
        "scans": [Dataset.from_json(each).StudyInstanceUID for each in scans],
    }


def one_study(client: DICOMwebClient, uid: str) -> Told:
    series = [Dataset.from_json(each) for each in client.search_for_series(uid)]
    instances = [Dataset.from_json(each) for each in client.search_for_instances(uid)]
    metadata = [Dataset.from_json(each) for each in client.retrieve_study_metadata(uid)]
    files = client.retrieve_study(uid)
    return {
        "series": len(series),
        "said": sum(int(each.NumberOfSeriesRelatedInstances) for each in series),
        "instances": sorted(each.SOPInstanceUID for each in instances),
        "metadata": sorted(each.SOPInstanceUID for each in metadata),
        "files": sorted(each.SOPInstanceUID for each in files),
        "patients": sorted({str(each.PatientID) for each in files}),
    }


def one_picture(client: DICOMwebClient, uid: str) -> Told:
    first = Dataset.from_json(client.search_for_instances(uid, limit=1)[0])
    names = (uid, first.SeriesInstanceUID, first.SOPInstanceUID)
    file = client.retrieve_instance(*names)
    frames = client.retrieve_instance_frames(*names, frame_numbers=[1])
    about = Dataset.from_json(client.retrieve_instance_metadata(*names))
    picture = Image.open(io.BytesIO(client.retrieve_instance_rendered(*names, media_types=("image/png",))))
    frame = Image.open(io.BytesIO(client.retrieve_instance_frames_rendered(*names, [1], media_types=("image/jpeg",))))
    return {
        "uids": [file.SOPInstanceUID, about.SOPInstanceUID],
        "frame_is_the_pixels": frames[0] == file.PixelData[: len(frames[0])],
        "size": [file.Columns, file.Rows],
        "rendered": [list(picture.size), list(frame.size)],
    }


def refused(client: DICOMwebClient, uid: str) -> Told:
    """What a study outside the grant answers to each question: the status of its refusal."""
    asked: dict[str, Callable[[], Any]] = {
        "metadata": lambda: client.retrieve_study_metadata(uid),
        "study": lambda: client.retrieve_study(uid),
        "series": lambda: client.search_for_series(uid),
    }
    answers: Told = {}
    for name, ask in asked.items():
        try:
            answers[name] = len(ask())
        except HTTPError as error:
            answers[name] = error.response.status_code
    return answers


def main(told: Told) -> None:
    client = client_of(told)
    found(
        searched=searched(client),
        study=one_study(client, told["study"]),
        picture=one_picture(client, told["study"]),
        refused=refused(client, told["outside"]),
    )


if __name__ == "__main__":
    main(given())
