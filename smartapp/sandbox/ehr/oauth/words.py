"""Scopes as sentences for the approval page."""

from smartapp.sandbox.ehr.scopes import parse_scope

_TYPES = {
    "*": "everything in the record",
    "Patient": "name, birth date and record numbers",
    "ImagingStudy": "imaging studies",
    "DiagnosticReport": "reports",
    "Observation": "findings",
    "ServiceRequest": "orders",
    "Consent": "consents",
    "Endpoint": "the address of the images",
    "Binary": "documents",
    "Practitioner": "names of clinicians",
    "Organization": "names of organizations",
    "RelatedPerson": "names of relatives",
}
_PLAIN = {
    "openid": "Know who you are",
    "offline_access": "Keep access after you sign out",
    "online_access": "Keep access while you are signed in",
}
_WRITING = frozenset("cud")


def in_words(scopes: tuple[str, ...]) -> list[str]:
    """One sentence per scope that says anything to a person."""
    sentences = [_PLAIN[scope] for scope in scopes if scope in _PLAIN]
    for text in scopes:
        scope = parse_scope(text)
        if scope:
            verb = "See and change" if scope.letters & _WRITING else "See"
            only = f" (only {', '.join('='.join(pair) for pair in scope.filters)})" if scope.filters else ""
            sentences.append(f"{verb} {_TYPES.get(scope.type, scope.type)}{only}")
    return list(dict.fromkeys(sentences))
