"""`smartapp staff …`: what may be asked of the staff's desk; what each does is in `bootstrap.staff_desk`."""

import argparse
from typing import Final

from smartapp.settings import Settings

_STAFF: Final = (
    "The worklist: scans that the record system and the image archive give to different people. They are shown to "
    "nobody until that is put right there. Each look and each act is written down, with who it was."
)
_HOW: Final = (
    "corrected: EHR and PACS were made to agree (if they still do not, it opens again); not-ours: the study is not "
    "this patient's; left: known, and left as it is."
)


def add_staff(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`smartapp staff …`; what each does is in `bootstrap.staff_desk`."""
    parser = commands.add_parser("staff", help="put right what could not be matched", description=_STAFF)
    actions = parser.add_subparsers(required=True, metavar="action")

    def add(name: str, words: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=words, description=words)
        action.set_defaults(command=_staff, action=name, item="")
        return action

    listing = add("worklist", "what there is to do, the oldest first; it names no patient")
    listing.add_argument("--provider", metavar="ID", help="only of this hospital")
    listing.add_argument("--state", choices=("open", "taken", "settled"), help="only what stands so")
    show = add("show", "what EHR and PACS say of it: patient data, so this look is written down in the patient's trail")
    take = add("take", "tell the others that you are at it")
    settle = add("settle", "say how it ended")
    for action in (show, take, settle):
        action.add_argument("item", metavar="ID", help="as `smartapp staff worklist` shows it")
    settle.add_argument("--how", required=True, choices=("corrected", "not-ours", "left"), help=_HOW)
    settle.add_argument("--note", required=True, help="what was found and done, in your words")
    for action in (listing, show):
        action.add_argument("--json", action="store_true", help="one line of JSON for each item")
    for action in (listing, show, take, settle):
        must = action in (take, settle)
        action.add_argument("--as", dest="name", metavar="NAME", required=must, help="your name, for the trail")


def _staff(arguments: argparse.Namespace, settings: Settings) -> int:
    from smartapp.bootstrap import staff_desk  # noqa: PLC0415 -- loads the whole product
    from smartapp.bootstrap.ground import lay_ground  # noqa: PLC0415 -- as above
    from smartapp.clock import SystemClock  # noqa: PLC0415 -- as above

    for line in staff_desk.lines(arguments, lay_ground(settings, SystemClock())):
        print(line)
    return 0
