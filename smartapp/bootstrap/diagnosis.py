"""What `smartapp doctor` looks at, in order."""

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from smartapp.bootstrap.ground import Ground, lay_ground
from smartapp.clock import SystemClock
from smartapp.db import schema
from smartapp.dicomweb.upstream.diagnosis import probe_pacs
from smartapp.errors import SmartappError
from smartapp.launch.diagnosis import advice, probe_ehr
from smartapp.launch.ehr_keys import EhrKeys
from smartapp.launch.ehrs import Ehrs
from smartapp.outbound.service import Outbound
from smartapp.settings import Provider, Settings


@dataclass(frozen=True)
class Check:
    """One finding of `smartapp doctor`: what was looked at, whether it works, and what was seen or is to be done."""

    name: str
    ok: bool
    sentence: str


def diagnose(settings: Settings) -> list[Check]:
    """Looks at keys, tables, and each provider's EHR and PACS, as they would be used. Reads nobody's data."""
    ground = lay_ground(settings, SystemClock())
    ehrs, keys = Ehrs(settings, ground.outbound, ground.clock), EhrKeys(ground.clock)
    found = [Check("keys", ok=True, sentence="key files can be used"), _check_tables(ground)]
    for provider in settings.providers:
        found.append(_check_ehr(ehrs, keys, provider.id))
        found.append(_check_pacs(provider, ground.outbound))
    ground.database.engine.dispose()
    return found


def _check_tables(ground: Ground) -> Check:
    try:
        current = schema.is_current(ground.database.engine)
    except SQLAlchemyError:
        return Check("database", ok=False, sentence="cannot be reached: look at [database] url")
    return Check("database", ok=current, sentence="at the newest revision" if current else "run `smartapp db upgrade`")


def _check_ehr(ehrs: Ehrs, keys: EhrKeys, provider_id: str) -> Check:
    name = f"EHR of {provider_id}"
    try:
        return Check(name, ok=True, sentence=probe_ehr(ehrs, keys, provider_id))
    except SmartappError as error:
        return Check(name, ok=False, sentence=advice(ehrs, provider_id, error))


def _check_pacs(provider: Provider, outbound: Outbound) -> Check:
    name = f"PACS of {provider.id}"
    try:
        return Check(name, ok=True, sentence=probe_pacs(provider, outbound))
    except SmartappError as error:
        return Check(name, ok=False, sentence=f"does not answer as it should ({error.code})")
