"""The sample people, their scans and their reports: the one truth that the sandbox's EHR and PACS both tell.

Everything is derived from names, so every start makes the same world: the same ids, UIDs and pictures.
All people are invented.
"""

from smartapp.sandbox.world.mercy import mercy
from smartapp.sandbox.world.model import Denial, Hospital, Person, Report, Series, Study, User, World, uid_for
from smartapp.sandbox.world.st_elsewhere import st_elsewhere

__all__ = ["Denial", "Hospital", "Person", "Report", "Series", "Study", "User", "World", "build_world", "uid_for"]


def build_world() -> World:
    """The whole sample world, the same at every call."""
    return World((st_elsewhere(), mercy()))
