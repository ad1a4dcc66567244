"""`pyfhircheck` and `fhirkit-rs`: everything that the facade serves, judged by strangers."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import fhirkit
import requests
from pyfhircheck import (
    ApiScanOptions,
    ApiTestOptions,
    load_builtin_api_test_plan,
    run_api_tests,
    scan_api,
)

from tests.clients.python.told import Told, found, given

NEEDS = {"instance-history": "history-instance", "vread": "vread"}
"""Scenarios of the plan that ask for what R4 leaves to the server, and what a server that offers it says it does."""


class Served:
    """Every resource that the token reaches, found through searches and the references in what was found."""

    def __init__(self, told: Told) -> None:
        self.base, self.auth = told["fhir"], {"Authorization": f"Bearer {told['token']}"}
        self.patient, self.resources, self.answers = told["patient"], dict[str, Told](), list[Told]()
        self.capability = self._ask("metadata")
        self.listed = self.capability["rest"][0]["resource"]

    def everything(self) -> None:
        for each in self.listed:
            if "search-type" in [one["code"] for one in each["interaction"]]:
                self._search(each["type"])
        waiting = list(self.resources.values())
        while waiting:
            for name in references(waiting.pop()):
                if name not in self.resources and name.partition("/")[0] in [each["type"] for each in self.listed]:
                    self.resources[name] = self._ask(name)
                    waiting.append(self.resources[name])

    def refusals(self) -> None:
        """Answers that are no success are resources as well."""
        for path in ("ImagingStudy/nothing", "ImagingStudy?patient=ben", "Patient?_has:x:y:z=1", "Nothing/1"):
            self._ask(path, *range(400, 500))

    def _search(self, type_: str) -> None:
        includes = next(each for each in self.listed if each["type"] == type_).get("searchInclude", [])
        path = f"{type_}?" + "&".join(f"_include={name}" for name in includes)
        while path:
            page = self._ask(path)
            for entry in page.get("entry", []):
                one = entry["resource"]
                self.resources[f"{one['resourceType']}/{one['id']}"] = one
            path = next((each["url"] for each in page["link"] if each["relation"] == "next"), "")

    def _ask(self, path: str, *allowed: int) -> Told:
        url = path if urlsplit(path).netloc else f"{self.base}/{path}"
        headers = {**self.auth, "Accept": "application/fhir+json"}
        answer = requests.get(url, headers=headers, timeout=60)
        assert answer.status_code in (allowed or (200,)), (path, answer.status_code, answer.text[:500])
        body: Told = answer.json()
        self.answers.append(body)
        return body


def references(value: object) -> Iterator[str]:
    """Relative references, and addresses of files, in a resource."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name in {"reference", "url"} and isinstance(one, str) and one.count("/") >= 1:
                yield "/".join(one.split("/")[-2:])
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def by_fhirkit(served: Served) -> Told:
    """What it says of every resource and every answer, and whether it writes each back unchanged."""
    judged = [*served.resources.values(), *served.answers]
    complaints = [f"{each['resourceType']}: {issue}" for each in judged for issue in fhirkit.validate(each)]
    changed = [
        f"{each['resourceType']}/{each.get('id')}"
        for each in judged
        if json.loads(fhirkit.parse(json.dumps(each), strict=True).to_json()) != each
    ]
    return {"complaints": sorted(set(complaints)), "changed": changed, "judged": len(judged)}


def by_pyfhircheck_scan(served: Served) -> Told:
    report = scan_api(served.base, options=ApiScanOptions(auth=lambda: served.auth))
    return {
        "complete": bool(report.api_scan and report.api_scan.complete),
        "issues": [f"{each.severity.value} {each.code} {each.path} {each.message}" for each in report.issues],
    }


def by_pyfhircheck_plan(served: Served) -> Told:
    """Its live plan, once for a resource of each type that is read; the scenarios that were not passed."""
    plan, results = load_builtin_api_test_plan("base-r4"), {}
    for each in served.listed:
        one = next((name for name in served.resources if name.startswith(f"{each['type']}/")), None)
        if one is None:
            continue
        inputs = {"resourceType": each["type"], "resourceId": one.partition("/")[2]}
        report = run_api_tests(served.base, plan, options=ApiTestOptions(auth=lambda: served.auth, inputs=inputs))
        results[each["type"]] = {
            scenario.id: [f"{said.kind}: {said.actual}" for said in scenario.assertions if said.status.value == "FAIL"]
            for scenario in report.scenarios
            if scenario.status.value != "PASS"
        }
    return results


def main(told: Told) -> None:
    served = Served(told)
    served.everything()
    served.refusals()
    found(
        types={each["type"]: [one["code"] for one in each["interaction"]] for each in served.listed},
        resources=sorted(served.resources),
        fhirkit=by_fhirkit(served),
        scan=by_pyfhircheck_scan(served),
        plan=by_pyfhircheck_plan(served),
    )


if __name__ == "__main__":
    main(given())
