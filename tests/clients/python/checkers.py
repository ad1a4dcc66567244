"""`pyfhircheck` and `fhirkit-rs`: everything that the facade serves, judged by strangers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import fhirkit
import requests
from pyfhircheck import (
    ApiScanOptions,
    ApiTestOptions,
    ValidationIssue,
    Validator,
    load_builtin_api_test_plan,
    run_api_tests,
    scan_api,
)
from pyfhircheck.api_testing import ApiScenarioResult
from pyfhircheck.config import ValidatorConfig

from tests.clients.python.told import Told, found, given

DEFINITIONS = Path(__file__).parent / "definitions"
"""What SMART Imaging Access adds to R4, which a checker of R4 does not bring along."""
NEEDS = {
    "search": "search-type",
    "paging": "search-type",
    "vread": "vread",
    "instance-history": "history-instance",
}
"""What the plan's scenarios need of a server that R4 leaves to it (capabilitystatement.html, interaction)."""
RIGHT = (
    {"resourceType": "DiagnosticReport", "id": "right", "status": "amended", "code": {"text": "CT"}},
    {"resourceType": "Binary", "id": "right", "contentType": "text/plain", "data": "YQ=="},
    {
        "resourceType": "CapabilityStatement",
        "id": "right",
        "status": "active",
        "date": "2026-11-24",
        "kind": "capability",
        "description": "Two formats by names that R4 gives (http.html#mime-type)",
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [{"mode": "server"}],
    },
)
"""Right by R4, and pyfhircheck 0.2.0 complains: the codes of a report's status, and the formats, end for it where a
summary of them says "final +" and "ttl +", and it does not know its own name for base64Binary. What it says of these is
no finding.
"""
BROKEN = {"resourceType": "ImagingStudy", "id": "broken", "status": "sometimes", "colour": "blue"}


class Served:
    """Every resource that the token reaches, found through searches and the references in what was found."""

    def __init__(self, told: Told) -> None:
        self.base, self.auth = told["fhir"], {"Authorization": f"Bearer {told['token']}"}
        self.patient, self.resources, self.answers = told["patient"], dict[str, Told](), list[Told]()
        self.capability = self._ask("metadata")
        self.listed = self.capability["rest"][0]["resource"]

    def everything(self) -> None:
        for each in self.listed:
            if offers(each, "search-type"):
                self._search(each["type"])
        waiting = list(self.resources.values())
        while waiting:
            for name in references(waiting.pop()):
                if name not in self.resources and name.partition("/")[0] in [each["type"] for each in self.listed]:
                    self.resources[name] = self._ask(name)
                    waiting.append(self.resources[name])

    def refusals(self) -> None:
        """Answers that are no success are resources as well."""
        for path in ("ImagingStudy/nothing", "ImagingStudy?patient=another", "Patient?_has:x:y:z=1", "Nothing/1"):
            self._ask(path, *range(400, 500))

    def brands(self) -> list[str]:
        """What discovery names beside the records: how the hospital is known, as a whole and each part alone."""
        told = requests.get(f"{self.base}/.well-known/smart-configuration", timeout=60).json()
        addresses = [entry["fullUrl"] for entry in self._ask(told["user_access_brand_bundle"])["entry"]]
        return ["/".join(address.split("/")[-2:]) for address in addresses if self._ask(address)]

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
    judged = [*served.resources.values(), *served.answers, *RIGHT]
    complaints = {f"{each['resourceType']}: {issue}" for each in judged for issue in fhirkit.validate(each)}
    changed = [
        f"{each['resourceType']}/{each.get('id')}"
        for each in judged
        if json.loads(fhirkit.parse(json.dumps(each), strict=True).to_json()) != each
    ]
    return {
        "complaints": sorted(complaints),
        "changed": changed,
        "judged": len(judged),
        "broken": len(fhirkit.validate(BROKEN)),
    }


class ByPyfhircheck:
    """Its scan of all that can be searched, its judgement of single resources, and its live plan.

    `mistaken` is what it says of resources that are right.
    """

    def __init__(self, served: Served) -> None:
        self.served = served
        self.config = ValidatorConfig.load_dict({"localPackagePaths": [str(DEFINITIONS)]})
        self.validator = Validator(self.config)
        self.mistaken = {_words(issue) for each in RIGHT for issue in self._judge(each)}

    def everything(self) -> Told:
        each_alone = [*self.served.resources.values(), *self.served.answers]
        return {
            "scan": self._scan(),
            "complaints": sorted({_words(issue) for each in each_alone for issue in self._judge(each)} - self.mistaken),
            "plan": {each["type"]: self._plan(each) for each in self.served.listed},
            "mistaken": sorted(said.partition(":")[0] for said in self.mistaken),
            "broken": len(self._judge(BROKEN)),
        }

    def _judge(self, resource: Told) -> list[ValidationIssue]:
        """Faults. What a resource refers to is not beside it here, which is warned of, and no fault."""
        return list(self.validator.validate_resource(resource).errors)

    def _scan(self) -> Told:
        types = tuple(each["type"] for each in self.served.listed if offers(each, "search-type"))
        options = ApiScanOptions(types, auth=lambda: self.served.auth)
        report = scan_api(self.served.base, config=self.config, options=options)
        assert report.api_scan is not None
        mistaken = {said.partition(":")[0] for said in self.mistaken}
        issues = {_words(issue) for issue in report.issues if f"{issue.code} {issue.path}" not in mistaken}
        alone = {each["type"] for each in self.served.listed} - set(types)  # read one by one, so not in the scan
        issues = {said for said in issues if not any(f": Reference {type_}/" in said for type_ in alone)}
        return {"complete": report.api_scan.complete, "issues": sorted(issues), "types": len(types)}

    def _plan(self, listed: Told) -> Told | None:
        """The scenarios of the plan for one resource of the type: passed, or what failed in them."""
        one = next((name for name in self.served.resources if name.startswith(f"{listed['type']}/")), None)
        if one is None:
            return None
        plan = load_builtin_api_test_plan("base-r4")
        offered = tuple(each for each in plan.scenarios if offers(listed, NEEDS.get(each.id, "read")))
        inputs = {"resourceType": listed["type"], "resourceId": one.partition("/")[2]}
        options = ApiTestOptions(auth=lambda: self.served.auth, inputs=inputs)
        report = run_api_tests(self.served.base, replace(plan, scenarios=offered), config=self.config, options=options)
        return {scenario.id: self._failed(scenario) for scenario in report.scenarios}

    def _failed(self, scenario: ApiScenarioResult) -> list[str]:
        judged = scenario.validation_report.errors if scenario.validation_report else []
        faults = [said for said in map(_words, judged) if said not in self.mistaken]
        failed = [f"{said.kind}: {said.actual}" for said in scenario.assertions if said.status.value != "PASS"]
        excused = {"resource-validation: FAIL"} if judged and not faults else set[str]()
        skipped = [scenario.skip_reason] if scenario.skip_reason else []
        return [*skipped, *faults, *(each for each in failed if each not in excused)]


def _words(issue: ValidationIssue) -> str:
    return f"{issue.code} {issue.path}: {issue.message}"


def offers(listed: Told, code: str) -> bool:
    """Whether our CapabilityStatement says that this can be done with a type."""
    return code in [each["code"] for each in listed["interaction"]]


def main(told: Told) -> None:
    served = Served(told)
    served.everything()
    served.refusals()
    brands = served.brands()
    found(
        brands=brands,
        types=[each["type"] for each in served.listed],
        resources=sorted(served.resources),
        fhirkit=by_fhirkit(served),
        pyfhircheck=ByPyfhircheck(served).everything(),
    )


if __name__ == "__main__":
    main(given())
