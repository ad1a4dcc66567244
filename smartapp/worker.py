"""`python -m smartapp.worker --config FILE`: background jobs, until SIGTERM or SIGINT. `smartapp worker` becomes it."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from smartapp.bootstrap.ground import lay_ground
from smartapp.bootstrap.jobs import build_jobs
from smartapp.bootstrap.restored import require_not_earlier
from smartapp.clock import clock_of
from smartapp.errors import SmartappError
from smartapp.jobs.loop import run
from smartapp.settings import load


def main(arguments: Sequence[str] | None = None) -> int:
    """Any number of workers may run, on any machine. The job at hand is finished before one ends."""
    parser = argparse.ArgumentParser(prog="python -m smartapp.worker", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    asked = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = load(asked.config, os.environ)
        ground = lay_ground(settings, clock_of(settings.environment, os.environ))
        require_not_earlier(ground)
        jobs = build_jobs(ground)
    except SmartappError as error:
        sys.stderr.write(f"smartapp: {error}\n")
        return 2
    run(jobs, stop)
    ground.audit.tell()
    ground.database.engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
