"""OHIF's own origin: its files, and the page that starts it. It knows nobody: no cookie, no database, no key."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, abort, render_template, request, send_from_directory
from werkzeug.exceptions import HTTPException

from smartapp.portal.ohif.release import Release, read_release
from smartapp.settings import Ohif, Settings
from smartapp.web import i18n

_YEAR: Final = 365 * 86400
_STATIC: Final = Path(__file__).parent / "static"
_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def make_ohif_app(settings: Settings, ohif: Ohif) -> Flask:
    """The site that `ohif` describes. Raises ConfigurationError when there is no OHIF in its folder."""
    release, base = read_release(ohif.dir), urlsplit(ohif.base_url)
    app = Flask("smartapp.portal.ohif", static_folder=None)
    i18n.register(app)
    app.jinja_env.globals.update(locale=i18n.locale)

    @app.before_request
    def require_our_address() -> None:
        if request.headers.get("Host", "").lower() != base.netloc or request.scheme != base.scheme:
            abort(400)

    @app.after_request
    def add_headers(response: Response) -> Response:
        decoding = request.path == f"/{release.decoder}"
        response.headers.update({**_ALWAYS, "Content-Security-Policy": policy(settings, decoding=decoding)})
        if request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        return response

    app.register_error_handler(
        HTTPException, lambda error: (f"{error.code}\n", error.code, {"Content-Type": "text/plain"})
    )
    _add_routes(app, settings, release)
    return app


def _add_routes(app: Flask, settings: Settings, release: Release) -> None:
    told = {"app": settings.server.base_url, "script": f"/{release.script}", "style": f"/{release.style}"}

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/")
    @app.get("/open")
    @app.get("/viewer")
    def page() -> Response:
        """The page that starts OHIF; opened again later, or without a code, it says where studies are opened."""
        response = Response(render_template("ohif/open.html", told=told))
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/smartapp/<path:name>")
    def ours(name: str) -> Response:
        response = send_from_directory(_STATIC, name)
        response.headers["Cache-Control"] = "no-cache"
        return response

    @app.get("/<path:path>")
    def theirs(path: str) -> Response:
        if not release.serves(path):
            abort(404)
        lasting = release.lasts(path)
        response = send_from_directory(release.folder, path, max_age=_YEAR if lasting else None)
        response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable" if lasting else "no-cache"
        return response


def policy(settings: Settings, *, decoding: bool = False) -> str:
    """The Content-Security-Policy (CSP 3): scripts of this origin, requests to our DICOMweb and token routes.

    A worker has the policy of its own file. OHIF's `decoding` one, alone, may make functions from text: its decoders of
    JPEG 2000 and JPEG-LS are compiled so. It has no page, and reaches no more than the page does.
    """
    app = settings.server.base_url
    reached = [f"{app}/{provider.id}/dicomweb/" for provider in settings.providers]
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'" + (" 'unsafe-eval'" if decoding else ""),
            "worker-src 'self' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "object-src 'self' blob:",  # a PDF out of a study, in the browser's own reader
            "frame-src blob:",
            f"connect-src 'self' {app}/ohif/ {' '.join(reached)}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
