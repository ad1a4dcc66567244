"""What `smartapp doctor` looks at, in order. It reads nobody's data, and changes nothing."""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from smartapp.bootstrap import brands
from smartapp.bootstrap.ground import Ground, lay_ground
from smartapp.bootstrap.restored import require_not_earlier
from smartapp.clock import Clock, SystemClock
from smartapp.db import schema
from smartapp.db.outbox.service import Outbox
from smartapp.dicomweb.upstream import survey as pacs
from smartapp.errors import ConfigurationError, DatabaseBusy, SmartappError, UpstreamError
from smartapp.launch import survey as launch
from smartapp.launch.diagnosis import advice, probe_ehr
from smartapp.launch.ehr_keys import EhrKeys
from smartapp.launch.ehrs import Ehrs
from smartapp.launch.jwks import signs
from smartapp.launch.system_survey import survey_system
from smartapp.outbound.certificates import certificate_of
from smartapp.outbound.findings import Finding
from smartapp.outbound.mail import MailDoor
from smartapp.portal.ohif.release import read_release
from smartapp.security.keyfiles import UnusableKey
from smartapp.settings import Provider, Settings
from smartapp.settings.loosened import loosened
from smartapp.tokens.signing import require_signing_keys

_LATE: Final = timedelta(minutes=10)
"""A letter that waits longer says that no worker runs, or that the mail server is away."""


def diagnose(settings: Settings, *, clock: Clock | None = None) -> Iterator[Finding]:
    """Findings on keys, tables, disk, mail, each hospital's EHR and PACS, and loosened settings, as they are made.

    Raises KeysUnavailable and ConfigurationError: without keys nothing can be looked at.
    """
    ground = lay_ground(settings, clock or SystemClock())
    try:
        yield Finding("keys", "works", "key files can be used")
        yield _signing_keys(settings)
        yield from _database(ground)
        yield _cache(settings)
        yield _checkpoint(ground)
        yield _mail(settings)
        yield from _our_keys(ground)
        yield from _ohif(ground)
        ehrs = Ehrs(settings, ground.outbound, ground.clock)
        for provider in settings.providers:
            yield from _hospital(ground, ehrs, provider)
        for setting, guards in loosened(settings):
            yield Finding(f"loosened: {setting}", "look", guards)
    finally:
        ground.database.engine.dispose()


def _signing_keys(settings: Settings) -> Finding:
    try:
        require_signing_keys(settings.keys.dir)
    except UnusableKey as error:
        return Finding("id_token keys", "fails", error.sentence)
    return Finding("id_token keys", "works", "current and next keys can be used")


def _database(ground: Ground) -> Iterator[Finding]:
    try:
        current = schema.is_current(ground.database.engine)
    except (SQLAlchemyError, DatabaseBusy):
        yield Finding("database", "fails", "cannot be reached: look at [database] url")
        return
    if not current:
        yield Finding("database", "fails", "run `smartapp db upgrade`")
        return
    yield Finding("database", "works", "at the newest revision")
    yield _outbox(ground)


def _outbox(ground: Ground) -> Finding:
    waiting = Outbox(ground.database, ground.keyring, ground.clock).waiting()
    late = waiting.oldest is not None and ground.clock.now() - waiting.oldest > _LATE
    said = f"{waiting.waiting} letter(s) wait, {waiting.dead} given up"
    return (
        Finding("outbox", "look", f"{said}: does `smartapp worker` run?") if late else Finding("outbox", "works", said)
    )


def _checkpoint(ground: Ground) -> Finding:
    try:
        require_not_earlier(ground)
    except ConfigurationError as error:
        return Finding("checkpoint", "fails", str(error))
    except (SQLAlchemyError, DatabaseBusy):
        return Finding("checkpoint", "look", "it is compared when the database answers")
    if ground.settings.storage.checkpoint is None:
        return Finding("checkpoint", "look", "a backup that is put back would not be noticed: set [storage] checkpoint")
    return Finding("checkpoint", "works", "the database is not older than the file says")


def _cache(settings: Settings) -> Finding:
    """Looks at the nearest folder that is there: the cache makes its own when it is first used."""
    folder = settings.storage.cache_dir
    there = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    if not _writable(there):
        return Finding("cache", "fails", f"{there} cannot be written to: give it to the user that serves")
    free = shutil.disk_usage(there).free
    if free < settings.storage.cache_max_bytes:
        gib = free / 2**30
        return Finding("cache", "look", f"{gib:.1f} GiB are free, less than [storage] cache_max_bytes: lower that")
    return Finding("cache", "works", "can be written, and has room")


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _mail(settings: Settings) -> Finding:
    if not settings.mail.smtp_host:
        return Finding("mail", "look", "there is no [mail] smtp_host: nobody is told of sign-ins")
    try:
        MailDoor(settings.mail).probe()
    except UpstreamError as error:
        advice = {
            "mail-sign-in": "it refuses our user or password: look at password_file",
            "mail-tls": "its certificate is not trusted: name its CA in ca_file",
            "mail-not-offered": "it offers no TLS, or no sign-in, at this port: look at security and smtp_port",
        }.get(error.code, f"does not answer as it should ({error.code}): look at smtp_host and smtp_port")
        return Finding("mail", "fails", advice)
    return Finding("mail", "works", "the server takes our letters")


def _our_keys(ground: Ground) -> Iterator[Finding]:
    """EHRs fetch them from our public address; whether they can, only they know. From here it is a good sign."""
    if not any(map(signs, ground.settings.providers)):
        return
    base = ground.settings.server.base_url
    url = f"{base}/.well-known/jwks.json"
    try:
        answer = ground.outbound.for_origins("doctor-self", (base,)).request("GET", url, max_bytes=2**18)
    except SmartappError as error:
        yield Finding("our keys", "look", f"{url} does not answer from here ({error.code}): the EHR must reach it")
        return
    good = answer.status == 200 and b'"keys"' in answer.body
    yield Finding("our keys", "works" if good else "fails", f"{url} answers {answer.status}")


def _ohif(ground: Ground) -> Iterator[Finding]:
    """The folder is what `smartapp ohif` serves; whether its address answers from here is a good sign, no proof."""
    ohif = ground.settings.ohif
    if ohif is None:
        return
    try:
        read_release(ohif.dir)
    except ConfigurationError as error:
        yield Finding("OHIF", "fails", error.sentence)
        return
    try:
        door = ground.outbound.for_origins("doctor-ohif", (ohif.base_url,))
        status = door.request("GET", f"{ohif.base_url}/healthz", max_bytes=2**18).status
    except SmartappError as error:
        yield Finding("OHIF", "look", f"{ohif.base_url} does not answer from here ({error.code}): run `smartapp ohif`")
        return
    good = status == 200
    yield Finding("OHIF", "works" if good else "fails", f"{ohif.base_url} answers {status}")


def _hospital(ground: Ground, ehrs: Ehrs, provider: Provider) -> Iterator[Finding]:
    for origin in provider.trusted_origins:
        if found := certificate_of(origin, provider.ca_file, ground.clock):
            yield found
    name, ehr = f"EHR of {provider.id}", ehrs.of(provider.id)
    try:
        yield Finding(name, "works", probe_ehr(ehrs, EhrKeys(ground.clock), provider.id))
    except SmartappError as error:
        yield Finding(name, "fails", advice(ehrs, provider.id, error))
    try:
        yield from launch.survey(ehr, ground.clock)
    except SmartappError as error:
        yield Finding(f"discovery of {provider.id}", "fails", f"does not answer ({error.code})")
    yield from survey_system(ehrs, ehr, ground.settings.server.base_url)
    yield from pacs.survey(provider, ground.outbound)
    yield from brands.survey(ground, provider)
