"""What the sandbox says when everything answers: one line of JSON for programs, a page for people."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smartapp.sandbox.addresses import Addresses
from smartapp.sandbox.app_clients import AppClient
from smartapp.sandbox.clients import EhrClient
from smartapp.sandbox.ohif import find_ohif
from smartapp.sandbox.world import User, World

SCHEMA = 1


def announce(
    addresses: Addresses, world: World, clients: Sequence[EhrClient], apps: Sequence[AppClient], data: Path
) -> dict[str, Any]:
    """The line, as an object. Parts that the sandbox does not have (yet) are null; without `apps`, the product is one.

    The first of `apps` is the sample app.
    """
    first = addresses.hospitals[0]
    return {
        "schema": SCHEMA,
        "data": str(data),
        "app": _app(addresses) if apps else None,
        "ehr": {
            "iss": addresses.iss(first),
            "portal": f"{addresses.ehr}/{first}/portal",
            "worklist": f"{addresses.ehr}/{first}/worklist",
        },
        "pacs": {"kind": addresses.pacs_kind, "dicomweb": addresses.dicomweb(first)},
        "ohif": {"base": addresses.ohif} if apps and find_ohif() else None,
        "sample_app": _sample_app(addresses, apps[0]) if apps else None,
        "mail": {"smtp": f"smtp://127.0.0.1:{addresses.ports.smtp}", "inbox": addresses.inbox},
        "faults": addresses.faults,
        "users": [_user(user) for hospital in world.hospitals for user in hospital.users],
        "ehr_clients": [client.line_entry() for client in clients],
        "app_clients": [app.line_entry() for app in apps],
    }


def _app(addresses: Addresses) -> dict[str, Any]:
    providers = [
        {"id": hospital, "issuer": base, "fhir": f"{base}/fhir", "dicomweb": f"{base}/dicomweb"}
        for hospital in addresses.hospitals
        for base in [f"{addresses.app}/{hospital}"]
    ]
    return {
        "base": addresses.app,
        "providers": providers,
        **{name: providers[0][name] for name in ("issuer", "fhir", "dicomweb")},
        "launch": f"{addresses.app}/launch",
        "callback": f"{addresses.app}/callback",
        "apps": f"{addresses.app}/my/apps",
        "metrics": None,
    }


def _sample_app(addresses: Addresses, app: AppClient) -> dict[str, Any]:
    base = addresses.sample_app
    return {"base": base, "launch": f"{base}/launch", "client_id": app.client_id}


def _user(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "password": user.password,
        "kind": user.kind,
        "fhirUser": user.fhir_user,
        "patient": user.patients[0] if user.kind == "patient" else None,
        "acts_for": list(user.acts_for),
    }


def for_people(said: dict[str, Any], world: World) -> str:
    """The same in words: where to click, and as whom to sign in."""
    lines = ["", "The sandbox is running.", ""]
    if said["app"]:
        lines.append(f"  Your imaging records   {said['app']['base']}/")
    if said["sample_app"]:
        lines.append(f"  Sample app             {said['sample_app']['base']}/")
    if said["ohif"]:
        lines.append(f"  OHIF                   {said['ohif']['base']}")
    lines += [
        f"  Hospital portal        {said['ehr']['portal']}",
        f"  Clinician's worklist   {said['ehr']['worklist']}",
        f"  FHIR                   {said['ehr']['iss']}",
        f"  PACS ({said['pacs']['kind']})        {said['pacs']['dicomweb']}",
        f"  Faults                 {said['faults']}",
        f"  Mailbox                {said['mail']['inbox']}/",
        f"  Files                  {said['data']}",
    ]
    for hospital in world.hospitals:
        lines += ["", f"Sample sign-ins at {hospital.name}:"]
        lines += [f"  {user.username:<10} {user.password:<16} {user.name}, {user.kind}" for user in hospital.users]
    return "\n".join([*lines, "", "Ctrl-C ends it.", ""])
