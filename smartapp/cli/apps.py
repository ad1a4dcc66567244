"""`smartapp apps …`: what may be asked of the operator's desk; what each does is in `bootstrap.apps_desk`."""

import argparse
from pathlib import Path
from typing import Final

from smartapp.settings import Settings

_APPS: Final = (
    "Decide on apps that other people wrote. What is checked is who makes the app, and whether it is secure. What an "
    "app will do with the data is the patient's to judge, and no ground for refusing or delaying it (45 CFR 171)."
)
_GROUND: Final = (
    "identity: it is not whose it says it is; security: it endangers data or systems here; fraud: it deceives people. "
    "What the app will do with the data is no ground."
)


def add_apps(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`smartapp apps …`; what each does is in `bootstrap.apps_desk`."""
    parser = commands.add_parser("apps", help="decide on apps that other people wrote", description=_APPS)
    actions = parser.add_subparsers(required=True, metavar="action")

    def add(name: str, words: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=words, description=words)
        action.set_defaults(command=_apps, action=name)
        if name != "list":
            action.add_argument("client_id", help="the app's client_id, as `smartapp apps list` shows it")
        return action

    listing = add("list", "the apps, newest first")
    listing.add_argument("--pending", action="store_true", help="only those that wait to be looked at")
    show = add("show", "what an app says of itself, and where it stands")
    show.add_argument("--picture", type=Path, metavar="FILE", help="write the picture that patients see there (PNG)")
    add("approve", "let it ask patients: identity and security were checked")
    for action in (
        add("refuse", "do not admit it, on a stated ground"),
        add("suspend", "stop everything under it at once, on a stated ground"),
    ):
        action.add_argument("--ground", required=True, choices=("identity", "security", "fraud"), help=_GROUND)
        action.add_argument("--reason", required=True, help="what was found, in your words; the developer reads it")
    add("reinstate", "let a suspended or refused app work (again)")
    limit = add("limit", "the widest scope that it may ask for")
    limit.add_argument("--scope", required=True, help='as "launch/patient patient/ImagingStudy.rs"; "" lifts the limit')


def _apps(arguments: argparse.Namespace, settings: Settings) -> int:
    from smartapp.bootstrap import apps_desk  # noqa: PLC0415 -- loads the whole product
    from smartapp.bootstrap.ground import lay_ground  # noqa: PLC0415 -- as above
    from smartapp.clock import SystemClock  # noqa: PLC0415 -- as above

    for line in apps_desk.lines(arguments, lay_ground(settings, SystemClock())):
        print(line)
    return 0
