"""`python -m smartapp.sandbox.faults --port N --clock FILE --relay part:port:behind …`: serve until SIGTERM."""

import argparse
from pathlib import Path
from typing import get_args

from smartapp.sandbox.faults.board import Board
from smartapp.sandbox.faults.catalogue import Part
from smartapp.sandbox.faults.control import TRAP, make_server
from smartapp.sandbox.faults.relay import Relay


def main() -> None:
    """Starts the relays, then answers at the faults address."""
    parser = argparse.ArgumentParser(prog="python -m smartapp.sandbox.faults", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clock", type=Path, required=True, help="the file that holds the shift of all clocks")
    parser.add_argument("--relay", type=_relay, action="append", required=True, help="part:port:behind")
    arguments = parser.parse_args()
    board = Board(arguments.clock)
    for relay in arguments.relay:
        relay.listen(board, f"http://127.0.0.1:{arguments.port}{TRAP}")
    make_server(arguments.port, board).serve_forever()


def _relay(text: str) -> Relay:
    name, port, behind = text.split(":")
    part = next(part for part in get_args(Part) if part == name)
    return Relay(part, int(port), int(behind))


if __name__ == "__main__":
    main()
