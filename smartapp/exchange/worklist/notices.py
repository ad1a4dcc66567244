"""Letters to a hospital's staff: that something waits, how much, and how to look. Nobody is named."""

import json
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.clock import Clock
from smartapp.db.outbox.service import Outbox
from smartapp.db.unit import Database
from smartapp.exchange.worklist import store
from smartapp.settings import Provider, Settings

_EVERY: Final = timedelta(days=1)


class Notices:
    """Writes letters into the outbox: at most one a day for each hospital, and only when something new waits.

    Any number of workers may do this at once: the day's letter is written by one of them.
    """

    def __init__(self, settings: Settings, database: Database, outbox: Outbox, clock: Clock) -> None:
        self._providers = tuple(each for each in settings.providers if each.staff_mail)
        self._database = database
        self._outbox = outbox
        self._clock = clock

    def run_once(self) -> int:
        """Writes the letters that are due; how many. Raises DatabaseBusy."""
        return sum(self._write(provider) for provider in self._providers)

    def _write(self, provider: Provider) -> bool:
        now = self._clock.now()
        with self._database.read() as session:
            due = store.may_write(session, provider.id, now - _EVERY) and store.has_news(session, provider.id)
        if not due:
            return False

        def work(session: Session) -> bool:
            count = store.count_open(session, provider.id)
            if not count or not store.claim_letter(session, provider.id, now, now - _EVERY):
                return False
            self._outbox.put(session, "mail", json.dumps(_letter(provider, count)).encode())
            return True

        return self._database.run(work)


def _letter(provider: Provider, count: int) -> dict[str, str | None]:
    """In English, as the command line is."""
    waits = "1 item waits" if count == 1 else f"{count} items wait"
    text = (
        f"{waits} for the staff of {provider.name} in the imaging portal: scans that the hospital's record system and "
        "its image archive give to different people. They are not shown to anybody until that is put right.\n\n"
        "Where the portal is run, this command lists them:\n\n"
        f"    smartapp staff worklist --provider {provider.id} --state open\n\n"
        "No more than one such mail is sent in a day. It was sent by a machine, and nobody reads answers.\n"
    )
    subject = f"{waits} for you in the imaging portal"
    return {"to": provider.staff_mail, "language": "en", "subject": subject, "text": text, "not_after": None}
