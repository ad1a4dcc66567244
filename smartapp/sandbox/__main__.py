"""`python -m smartapp.sandbox`: two hospitals with an EHR and a PACS, and the product in front of them."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from smartapp.sandbox.announcement import for_people
from smartapp.sandbox.ports import PortTaken
from smartapp.sandbox.processes import StartError
from smartapp.sandbox.supervisor import Options, Stopped, Supervisor, data_folder, ending_with_parent
from smartapp.sandbox.world import build_world


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until told to end (0) or until a part fails (1, with its name on standard error)."""
    asked = _parser().parse_args(arguments)
    with data_folder(asked.data) as data:
        options = Options(
            data=data,
            port_base=asked.port_base,
            pacs=asked.pacs,
            fhir_store=asked.fhir_store,
            database=os.environ.get("SMARTAPP_SANDBOX_DATABASE_URL"),
            with_app=not asked.without_app,
        )
        return _run(options, as_json=asked.json)


def _run(options: Options, *, as_json: bool) -> int:
    world = build_world()
    supervisor = None
    try:
        with ending_with_parent():
            supervisor = Supervisor(world, options)
            said = supervisor.start()
            # One line on standard output, and only for programs.
            print(json.dumps(said) if as_json else for_people(said, world), flush=True)  # noqa: T201 - as above
            supervisor.stay()
    except Stopped:
        return 0
    except (StartError, PortTaken) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    finally:
        if supervisor is not None:
            supervisor.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m smartapp.sandbox", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON on standard output when all answers")
    parser.add_argument(
        "--port-base", type=int, metavar="N", help="app N, EHR N+10, PACS N+20, sample app N+30; else free ports"
    )
    parser.add_argument("--pacs", choices=("embedded", "orthanc"), default="embedded", help="which PACS")
    parser.add_argument("--fhir-store", metavar="URL", help="a plain FHIR server for the first hospital's EHR")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep all files here; else a temporary folder")
    parser.add_argument("--without-app", action="store_true", help="EHR and PACS only, as tests of the rooms want it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
