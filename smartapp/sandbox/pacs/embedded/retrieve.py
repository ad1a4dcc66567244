"""WADO-RS bodies (PS3.18 §10.4): multipart/related, streamed from the files in pieces of 256 KiB."""

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.encaps import generate_frames
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from smartapp.sandbox.pacs.embedded.archive import PIXEL_DATA, Instance

_PIECE = 256 * 1024
_UNCOMPRESSED = {ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian}
_OCTETS = "application/octet-stream"


@dataclass(frozen=True)
class Body:
    """A streamed answer and its Content-Type."""

    content_type: str
    pieces: Iterator[bytes]


class NotAcceptable(ValueError):
    """Nothing that the client accepts can be made from the files as stored (406)."""


def check_accept(accept: str, media_type: str, transfer_syntaxes: Iterable[str]) -> None:
    """NotAcceptable unless one of the client's ranges takes `media_type` in these transfer syntaxes.

    An absent header takes all. A range without `transfer-syntax` means Explicit VR Little Endian (PS3.18 §8.7.3.3):
    it takes what is stored uncompressed, and nothing else, since we transcode nothing.
    """
    stored = set(transfer_syntaxes)
    if not accept:
        return
    for one in accept.split(","):
        name, _, rest = one.strip().partition(";")
        parameters = dict(re.findall(r'([\w-]+)\s*=\s*"?([^";]+)"?', rest))
        if not _takes(name.strip().lower(), parameters.get("type", media_type).lower(), media_type):
            continue
        wanted = parameters.get("transfer-syntax")
        if wanted in {"*", *stored} or (wanted is None and stored & _UNCOMPRESSED):
            return
    raise NotAcceptable("none of the accepted media types can be given")


def _takes(name: str, part: str, media_type: str) -> bool:
    return name in {"*/*", "multipart/*"} or (name == "multipart/related" and part in {media_type, "*/*"})


def dicom_body(instances: Sequence[Instance]) -> Body:
    """The files themselves, one part each."""

    def parts() -> Iterator[tuple[str, Iterator[bytes]]]:
        for instance in instances:
            yield f"application/dicom; transfer-syntax={instance.transfer_syntax}", _file(instance)

    return _multipart("application/dicom", parts())


def bulk_body(instance: Instance, tag: str) -> Body:
    """One of the instance's large values as one part. KeyError if it has no such."""
    if tag not in instance.bulk:
        raise KeyError(tag)
    return _multipart(_OCTETS, iter([(_octets(instance), iter([instance.value(tag)]))]))


def frames_body(instance: Instance, numbers: Sequence[int]) -> Body:
    """The frames with these numbers, from 1. IndexError if there is no such frame."""
    count = int(instance.header.get("NumberOfFrames", 1) or 1)
    if PIXEL_DATA not in instance.bulk or any(not 1 <= number <= count for number in numbers):
        raise IndexError("no such frame")
    pixels = instance.value(PIXEL_DATA)
    if UID(instance.transfer_syntax).is_encapsulated:
        frames = list(generate_frames(pixels, number_of_frames=count))
    else:
        size = len(pixels) // count
        frames = [pixels[n * size : (n + 1) * size] for n in range(count)]
    return _multipart(_OCTETS, ((_octets(instance), iter([frames[n - 1]])) for n in numbers))


def metadata(instances: Sequence[Instance], base: str) -> list[dict[str, Any]]:
    """The headers with the addresses of pixels and documents in their place (PS3.18 §F.2.6)."""
    return [{**instance.json, **_addresses(instance, base)} for instance in instances]


def _addresses(instance: Instance, base: str) -> dict[str, Any]:
    below = f"{_address(instance, base)}/bulkdata"
    return {tag: {"vr": vr, "BulkDataURI": f"{below}/{tag}"} for tag, vr in instance.bulk.items()}


def _address(instance: Instance, base: str) -> str:
    header = instance.header
    return f"{base}/studies/{header.StudyInstanceUID}/series/{header.SeriesInstanceUID}/instances/{instance.uid}"


def _octets(instance: Instance) -> str:
    return f"{_OCTETS}; transfer-syntax={instance.transfer_syntax}"


def _file(instance: Instance) -> Iterator[bytes]:
    with instance.path.open("rb") as source:
        while piece := source.read(_PIECE):
            yield piece


def _multipart(part_type: str, parts: Iterator[tuple[str, Iterator[bytes]]]) -> Body:
    boundary = secrets.token_hex(16)

    def pieces() -> Iterator[bytes]:
        for content_type, content in parts:
            yield f"--{boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode()
            yield from content
            yield b"\r\n"
        yield f"--{boundary}--\r\n".encode()

    return Body(f'multipart/related; type="{part_type}"; boundary={boundary}', pieces())
