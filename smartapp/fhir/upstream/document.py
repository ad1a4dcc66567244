"""A report put together for reading: words, findings, clean narrative, files to download."""

from collections.abc import Iterator
from datetime import tzinfo

from smartapp.consent.model import Permit
from smartapp.errors import NotFound, UpstreamError
from smartapp.fhir.upstream import attachments
from smartapp.fhir.upstream.documents import Json, part, parts, text, words
from smartapp.fhir.upstream.fetch import FhirServer
from smartapp.fhir.upstream.model import Observation, ReportDocument
from smartapp.fhir.upstream.narrative import clean
from smartapp.fhir.upstream.observation import read_observation
from smartapp.fhir.upstream.references import is_of, read_reference
from smartapp.fhir.upstream.report import effective
from smartapp.fhir.upstream.times import read_moment

MAX_OBSERVATIONS = 20
MAX_TEXTS = 3
MAX_NAMES = 5
MAX_TEXT_BYTES = 512 * 1024


class Assembler:
    """Gathers the parts of one report; a part that cannot be read becomes a problem, not an error."""

    def __init__(self, server: FhirServer, permit: Permit, zone: tzinfo) -> None:
        self._server = server
        self._permit = permit
        self._zone = zone
        self._problems: dict[str, None] = {}

    def document(self, resource: Json) -> ReportDocument:
        """The document of a DiagnosticReport whose subject was checked. Raises UpstreamError subclasses only where the
        EHR as a whole is gone.
        """
        texts, html = self._written(resource)
        return ReportDocument(
            id=text(resource.get("id")),
            status=text(resource.get("status"), 30),
            issued=read_moment(resource.get("issued"), self._zone),
            effective=effective(resource, self._zone),
            title=words(part(resource, "code")),
            conclusion=text(resource.get("conclusion"), 65536) or self._coded_conclusion(resource),
            performers=tuple(self._performers(resource)),
            observations=tuple(self._observations(resource)),
            texts=texts,
            narrative_html="\n".join(filter(None, [clean(text(part(resource, "text").get("div"), 2**20)), *html])),
            attachments=attachments.listed(resource),
            problems=tuple(self._problems),
        )

    @staticmethod
    def _coded_conclusion(resource: Json) -> str:
        return "; ".join(filter(None, map(words, parts(resource, "conclusionCode"))))

    def _written(self, resource: Json) -> tuple[tuple[str, ...], list[str]]:
        """The forms that are words: plain ones as text, HTML cleaned."""
        texts, html = [], []
        readable = [f for f in attachments.forms(resource) if attachments.media_type(f) in {"text/plain", "text/html"}]
        for form in readable[:MAX_TEXTS]:
            written = self._words_of(form)
            if attachments.media_type(form) == "text/html":
                html.append(clean(written))
            elif written:
                texts.append(written)
        return tuple(texts), html

    def _words_of(self, form: Json) -> str:
        try:
            body = attachments.body_of(self._server, self._permit, form)
            return body.decode(attachments.charset(form)) if len(body) <= MAX_TEXT_BYTES else ""
        except (UpstreamError, NotFound, LookupError, ValueError):
            self._problems["report-text"] = None
            return ""

    def _observations(self, resource: Json) -> Iterator[Observation]:
        contained = {f"#{text(entry.get('id'))}": entry for entry in parts(resource, "contained")}
        for entry in list(parts(resource, "result"))[:MAX_OBSERVATIONS]:
            named = text(entry.get("reference"))
            finding = contained.get(named) or self._read(named, "Observation")
            observation = read_observation(finding) if finding else None
            if observation:
                yield observation

    def _read(self, named: str, type_: str) -> Json | None:
        reference = read_reference(named, self._server.base)
        if reference is None or reference.type != type_:
            self._problems["report-finding"] = None
            return None
        try:
            found = self._server.read(self._permit, reference)
        except (UpstreamError, NotFound):
            self._problems["report-finding"] = None
            return None
        if not is_of(found, self._permit.patient.patient_id, self._server.base):
            self._problems["report-finding"] = None
            return None
        return found

    def _performers(self, resource: Json) -> Iterator[str]:
        """Who read it, and for whom: as displayed, else as the resource they name is called."""
        people = [*parts(resource, "resultsInterpreter"), *parts(resource, "performer")]
        for entry in people[:MAX_NAMES]:
            if name := text(entry.get("display"), 200) or self._name(text(entry.get("reference"))):
                yield name

    def _name(self, named: str) -> str:
        reference = read_reference(named, self._server.base)
        if reference is None or reference.type not in {"Practitioner", "Organization"}:
            return ""
        try:
            found = self._server.read(self._permit, reference)
        except (UpstreamError, NotFound):
            return ""
        if isinstance(found.get("name"), str):
            return text(found["name"], 200)
        return next((text(name.get("text"), 200) or text(name.get("family"), 200) for name in parts(found, "name")), "")
