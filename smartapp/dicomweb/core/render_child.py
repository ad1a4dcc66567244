"""The process that decodes pixels: `python -m smartapp.dicomweb.core.render_child MEMORY SECONDS`.

It is expected to die of some objects. It reads requests from standard input and ends when that does, so also when its
parent is gone. It can open few files, write none, and gets so much memory and processor time that a loop or a bomb
ends it and nothing else. `MEMORY` is in bytes, `SECONDS` of processor time are for one request.
"""

import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Final

import pydicom.config

from smartapp.dicomweb.core.facts import NoFrameError, RefusedError
from smartapp.dicomweb.core.picture import render
from smartapp.dicomweb.core.pixels import Image, encoded, open_image, uncompressed
from smartapp.dicomweb.core.render_wire import ANSWER, pack, unpack


def main() -> None:
    """Serves requests until standard input ends."""
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    inward, outward = os.dup(0), os.dup(1)
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), 0)
        os.dup2(nowhere.fileno(), 1)  # what C libraries print must not be read as an answer
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the picture
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    warnings.simplefilter("ignore")
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    with os.fdopen(inward, "rb") as requests, os.fdopen(outward, "wb", buffering=0) as answers:
        while True:
            try:
                request, dicom = unpack(_exactly(requests.read), memory)
            except EOFError:
                return
            used = int(time.process_time())
            resource.setrlimit(resource.RLIMIT_CPU, (used + seconds + 1, resource.RLIM_INFINITY))
            _write(answers.write, _answer(request, dicom))


def _exactly(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    def take(size: int) -> bytes:
        data = read(size)
        if len(data) < size:
            raise EOFError
        return data

    return take


def _write(write: Callable[[memoryview], int | None], pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        left = memoryview(piece)
        while left:
            left = left[write(left) or 0 :]


def _answer(request: dict[str, Any], dicom: bytes) -> list[bytes]:
    """What there is to say to a request. Whatever goes wrong with an object is an answer too, and the next may come."""
    try:
        image = open_image(dicom)
        return _JOBS[request["job"]](image, request)
    except NoFrameError:
        return pack({"error": "no-frame"})
    except RefusedError as refused:
        return pack({"error": str(refused)})
    except MemoryError:
        return pack({"error": "memory"})
    except Exception:  # noqa: BLE001 - decoders and pydicom raise all sorts; the object is to blame
        return pack({"error": "decode"})


def _frames(image: Image, request: dict[str, Any]) -> list[bytes]:
    stored = request["target"] == "raw"
    described: list[dict[str, Any]] = []
    found: list[bytes] = []
    size = 0
    for number in request["numbers"]:
        if stored:
            data, photometric, bits = encoded(image, number - 1), image.photometric, image.bits
        else:
            data, photometric, bits = uncompressed(image, number - 1)
        size += len(data)
        if size > ANSWER:
            raise RefusedError("too-large")
        found.append(data)
        described.append({"size": len(data), "photometric": photometric, "bits_allocated": bits})
    return pack({"frames": described} | _described(image), b"".join(found))


def _described(image: Image) -> dict[str, Any]:
    return {
        "rows": image.rows,
        "columns": image.columns,
        "samples": image.samples,
        "bits_stored": image.stored,
        "signed": image.signed,
        "planar": image.planar,
        "syntax": image.syntax,
    }


def _rendered(image: Image, request: dict[str, Any]) -> list[bytes]:
    number = request["number"] or (image.frames + 1) // 2
    window = tuple(request["window"]) if request["window"] else None
    viewport = tuple(request["viewport"]) if request["viewport"] else None
    return pack({}, render(image, number - 1, window, viewport, request["quality"], request["kind"]))


_JOBS: Final[dict[str, Callable[[Image, dict[str, Any]], list[bytes]]]] = {"frames": _frames, "rendered": _rendered}

if __name__ == "__main__":
    main()
