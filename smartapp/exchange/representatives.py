"""When a personal representative's right to act ends by itself. Pure."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo


def end_of_right(birth_date: date | None, *, age_of_majority: int, timezone: str, now: datetime) -> datetime | None:
    """The moment the patient comes of age at the hospital, UTC-comparable; None if that has been, or is not known.

    A parent acts for a child until then (45 CFR 164.502(g)(3)). For an adult the hospital's own record of the relation
    counts: the right ends with its token.
    """
    if birth_date is None:
        return None
    of_age = datetime.combine(_birthday(birth_date, age_of_majority), time(), ZoneInfo(timezone))
    return of_age if now < of_age else None


def _birthday(born: date, age: int) -> date:
    """Who was born on the 29th of February comes of age on the 1st of March where that year has none."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)
