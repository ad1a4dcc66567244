"""The version and the date of a resource (FHIR R4 resource.html#Meta): ours, as no versions are kept. Pure."""

import hashlib
import json
from datetime import datetime

from smartapp.fhir.upstream.documents import Json
from smartapp.records.resources.moments import instant


def stamped(resource: Json, updated: datetime | None) -> Json:
    """The resource with `meta.versionId`, a digest of what the app is shown of it, and `meta.lastUpdated` if known."""
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in {"versionId", "lastUpdated"}}
    text = json.dumps({**resource, "meta": meta}, sort_keys=True)
    meta["versionId"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    if updated is not None:
        meta["lastUpdated"] = instant(updated)
    head = {name: resource[name] for name in ("resourceType", "id")}
    return {**head, "meta": meta, **{name: value for name, value in resource.items() if name not in {*head, "meta"}}}
