from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # ships no types

from smartapp.errors import ConfigurationError
from smartapp.settings import Database, Server, Sessions, Settings, Upstreams, load
from smartapp.settings.loader import SECTIONS
from tests.settings.conftest import Configuration
from tests.settings.test_shipped import schema


def test_the_shipped_configuration_holds_together(configuration: Configuration) -> None:
    loaded = configuration.load()
    assert loaded.environment == "production"
    assert loaded.server == Server("https://imaging.example.org")
    assert loaded.providers[0].id == "st-elsewhere"
    assert loaded.providers[0].private_key_file == configuration.folder / "private_key_file"


def test_the_least_configuration_has_the_defaults(configuration: Configuration) -> None:
    configuration.app = {
        "server": {"base_url": "https://a.example"},
        "database": {"url": "sqlite:////a.db"},
        "storage": {"cache_dir": "cache"},
        "keys": {"dir": "keys"},
        "providers": {"file": "providers.toml"},
    }
    loaded = configuration.load()
    assert (loaded.sessions, loaded.upstreams, loaded.database.lock_timeout) == (Sessions(), Upstreams(), 4.0)
    assert loaded.environment == "production"
    assert loaded.storage.cache_dir == configuration.folder / "cache"


def test_the_environment_goes_before_the_file(configuration: Configuration) -> None:
    configuration.environ = {
        "SMARTAPP_SERVER_PORT": "9001",
        "SMARTAPP_DATABASE_URL": "sqlite:////other.db",
        "SMARTAPP_DATABASE_LOCK_TIMEOUT": "1.5",
        "SMARTAPP_KEYS_DIR": "/keys",
        "SMARTAPP_CONFIG": "irrelevant",
        "SMARTAPP_REQUIRE_ALL": "1",
        "PATH": "/bin",
    }
    loaded = configuration.load()
    assert loaded.server.port == 9001
    assert loaded.database == Database("sqlite:////other.db", 1.5)
    assert loaded.keys.dir == Path("/keys")


def test_every_single_value_has_its_variable(configuration: Configuration) -> None:
    configuration.app["mail"] |= {
        "smtp_host": "smtp.example.org",
        "smtp_port": 465,
        "security": "tls",
        "sender": "a@b.example",
    }
    configuration.environ = {
        f"SMARTAPP_{section}_{field.name}".upper(): as_text(configuration.app[section][field.name])
        for section, kind in SECTIONS.items()
        for field in fields(kind)
        if field.name in configuration.app[section]
    }
    from_file, configuration.app = configuration.load(), {}
    assert configuration.load() == from_file


def as_text(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SMARTAPP_SERVER_PROT", "1"), ("SMARTAPP_SERVER", "1"), ("SMARTAPP_SERVER_PORT", "x"), ("SMARTAPP_KEYS_DIR", "")],
)
def test_a_variable_that_cannot_be_meant_is_refused(configuration: Configuration, name: str, value: str) -> None:
    configuration.environ = {name: value}
    with pytest.raises(ConfigurationError):
        configuration.load()


WRITING = ["openid", "fhirUser", "patient/Consent.crus"]


def backend(configuration: Configuration, *removed: str, **changed: object) -> None:
    """Registers us as a backend service, as it should be but for what is removed or changed."""
    good = {"system_client_id": "b", "system_scopes": ["system/Patient.rs"], "jurisdiction": "us"}
    configuration.provider.update({**good, **changed})
    for name in removed:
        del configuration.provider[name]


SPOILT: list[tuple[str, Callable[[Configuration], object], str]] = [
    ("unknown section", lambda c: c.app.update(sevrer={}), "sevrer"),
    ("unknown key", lambda c: c.app["server"].update(prot=1), r"\[server\] prot"),
    ("missing key", lambda c: c.app["server"].pop("base_url"), r"\[server\] base_url is missing"),
    ("missing section", lambda c: c.app.pop("keys"), r"\[keys\] dir is missing"),
    ("text for number", lambda c: c.app["server"].update(port="80"), "port must be a whole number"),
    ("truth for number", lambda c: c.app["server"].update(port=True), "port must be a whole number"),
    ("fraction", lambda c: c.app["server"].update(workers=1.5), "workers must be a whole number"),
    ("zero", lambda c: c.app["sessions"].update(idle=0), "above zero"),
    ("proxies all", lambda c: c.app["server"].update(proxies=["0.0.0.0/0"]), "proxies 0.0.0.0/0 must be"),
    ("proxies a name", lambda c: c.app["server"].update(proxies=["*"]), "proxies . must be"),
    ("proxies a host in a network", lambda c: c.app["server"].update(proxies=["10.0.0.5/24"]), "proxies"),
    ("large port", lambda c: c.app["server"].update(port=65536), "65535"),
    ("number for text", lambda c: c.app["database"].update(url=5), "url must be a text"),
    ("empty text", lambda c: c.app["storage"].update(cache_dir=""), "cache_dir must be a text"),
    ("other environment", lambda c: c.app["environment"].update(name="test"), "one of: sandbox, production"),
    ("idle longer", lambda c: c.app["sessions"].update(idle=28801), "idle"),
    ("http", lambda c: c.app["server"].update(base_url="http://127.0.0.1:8000"), "base_url must begin with https"),
    ("path", lambda c: c.app["server"].update(base_url="https://a.example/app"), "no path"),
    ("slash", lambda c: c.app["server"].update(base_url="https://a.example/"), "no path"),
    ("user name", lambda c: c.app["server"].update(base_url="https://u@a.example"), "plain address"),
    ("backslash", lambda c: c.app["server"].update(base_url="https://a.example\\@b"), "base_url"),
    ("no host", lambda c: c.app["server"].update(base_url="https://"), "no address"),
    ("port of letters", lambda c: c.app["server"].update(base_url="https://a:b"), "no address"),
    ("password", lambda c: c.app["database"].update(url="postgresql+psycopg://u:p@h/d"), "passfile"),
    ("absent providers", lambda c: c.app["providers"].update(file="absent.toml"), "absent.toml cannot be read"),
    ("no provider", lambda c: c.providers.update(provider=[]), "lists no hospital"),
    ("other table", lambda c: c.providers.update(hospital={}), r"\[\[provider\]\] tables only"),
    ("provider no list", lambda c: c.providers.update(provider={}), r"\[\[provider\]\] tables only"),
    ("unknown provider key", lambda c: c.provider.update(colour="red"), "provider 1: colour"),
    (
        "two of one id",
        lambda c: c.providers["provider"].append(c.provider | {"iss": c.provider["iss"] + "x"}),
        "the id",
    ),
    ("two of one iss", lambda c: c.providers["provider"].append(c.provider | {"id": "b"}), "the iss"),
    ("alias of itself", lambda c: c.provider.update(iss_aliases=[c.provider["iss"]]), "the iss"),
    ("capital id", lambda c: c.provider.update(id="St"), "id must be"),
    ("newline in id", lambda c: c.provider.update(id="st\n"), "id must be"),
    ("reserved id", lambda c: c.provider.update(id="my"), "id must be"),
    ("placeholder client", lambda c: c.provider.update(client_id="…"), "client_id is a placeholder"),
    ("foreign iss", lambda c: c.provider.update(iss="https://evil.example/fhir"), "iss is not in trusted_origins"),
    ("iss elsewhere", lambda c: c.provider.update(iss="https://ehr.example.org.evil.example/"), "iss is not in"),
    ("iss other port", lambda c: c.provider.update(iss="https://ehr.example.org:8443/"), "iss is not in"),
    ("iss with query", lambda c: c.provider.update(iss="https://ehr.example.org/fhir?a=b"), "plain address"),
    ("http iss", lambda c: c.provider.update(iss="http://ehr.example.org/fhir"), "https"),
    ("foreign pacs", lambda c: c.provider.update(dicomweb="https://evil.example/"), "dicomweb is not in"),
    ("origin with path", lambda c: c.provider.update(trusted_origins=["https://ehr.example.org/x"]), "no path"),
    ("http origin", lambda c: c.provider.update(trusted_origins=["http://127.0.0.1"]), "https"),
    ("alias no address", lambda c: c.provider.update(iss_aliases=["ehr"]), "iss_aliases"),
    ("scope with space", lambda c: c.provider.update(scopes=["openid fhirUser"]), "one scope in each text"),
    ("scopes no list", lambda c: c.provider.update(scopes="openid"), "list of texts"),
    ("scope twice", lambda c: c.provider.update(scopes=["openid", "openid"]), "twice"),
    ("no openid", lambda c: c.provider.update(scopes=["fhirUser"]), "lacks openid"),
    ("consent without its scope", lambda c: c.provider.update(consent="write"), "needs the scope patient/Consent.crus"),
    ("consents that no scope reads", lambda c: c.provider.update(consent="read"), "the scope patient/Consent.rs"),
    (
        "consents of one kind only",
        lambda c: c.provider.update(consent="read", scopes=["openid", "fhirUser", "patient/Consent.rs?category=x|y"]),
        "the scope patient/Consent.rs",
    ),
    ("no systems", lambda c: c.provider.update(mrn_systems=[]), "mrn_systems is empty"),
    ("no time zone", lambda c: c.provider.update(timezone="Mars/Olympus"), "timezone is none"),
    ("time zone by path", lambda c: c.provider.update(timezone="../etc/passwd"), "timezone is none"),
    ("key missing", lambda c: c.provider.pop("private_key_file"), "needs private_key_file"),
    ("secret too many", lambda c: c.provider.update(client_secret_file="x"), "does not use client_secret_file"),
    (
        "secret missing",
        lambda c: c.provider.update(client_auth="client_secret_basic"),
        "private_key_file|client_secret",
    ),
    ("password missing", lambda c: c.provider.pop("dicomweb_password_file"), "needs dicomweb_password_file"),
    ("user missing", lambda c: c.provider.pop("dicomweb_user"), "needs dicomweb_user"),
    ("token too many", lambda c: c.provider.update(dicomweb_token_file="x"), "does not use dicomweb_token_file"),
    ("bearer with user", lambda c: c.provider.update(dicomweb_auth="bearer"), "does not use dicomweb_user"),
    ("absent secret", lambda c: (c.folder / "private_key_file").unlink(), "cannot be read: put the secret there"),
    ("public secret", lambda c: (c.folder / "private_key_file").chmod(0o604), "read by everybody"),
    ("placeholder secret", lambda c: (c.folder / "dicomweb_password_file").write_text("ChangeMe\n"), "a placeholder"),
    ("empty secret", lambda c: (c.folder / "dicomweb_password_file").write_text("\n"), "a placeholder"),
    ("binary secret", lambda c: (c.folder / "dicomweb_password_file").write_bytes(b"\xff\xfe"), "cannot be read"),
    ("backend key alone", lambda c: c.provider.update(system_private_key_file="x"), "add it, or remove this"),
    ("backend scopes alone", lambda c: c.provider.update(system_scopes=["system/*.rs"]), "add it, or remove this"),
    ("backend placeholder", lambda c: backend(c, system_client_id="…"), "system_client_id is a placeholder"),
    ("backend without a key", lambda c: backend(c, "private_key_file", client_auth="none"), "add system_private_key"),
    ("backend key absent", lambda c: backend(c, system_private_key_file="x.jwk"), "system_private_key_file .* cannot"),
    ("backend without rules", lambda c: backend(c, "jurisdiction"), "release rules"),
    ("backend without scopes", lambda c: backend(c, "system_scopes"), "lacks system/Patient.r"),
    ("backend that cannot read people", lambda c: backend(c, system_scopes=["system/Patient.s"]), "system/Patient.r"),
    ("backend that writes", lambda c: backend(c, system_scopes=["system/Patient.cruds"]), "not one that reads"),
    ("backend of patients", lambda c: backend(c, system_scopes=["patient/Patient.rs"]), "not one that reads"),
    ("backend of no letters", lambda c: backend(c, system_scopes=["system/Consent."]), "not one that reads"),
    ("backend, unread consent", lambda c: backend(c, consent="read", scopes=WRITING), "system/Consent.rs"),
    ("backend, no consent", lambda c: backend(c, consent="write", scopes=WRITING), "system/Consent.crus"),
    ("absent CA", lambda c: c.provider.update(ca_file="ca.pem"), "ca_file"),
]


@pytest.mark.clause("SMART 2.2", "1", "295", "301")
@pytest.mark.clause("SMART 2.2 server", "231")
@pytest.mark.parametrize(("spoil", "sentence"), [case[1:] for case in SPOILT], ids=[case[0] for case in SPOILT])
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    configuration: Configuration, spoil: Callable[[Configuration], object], sentence: str
) -> None:
    spoil(configuration)
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        configuration.load()
    assert "a real secret" not in str(caught.value)


@pytest.mark.clause("SMART 2.2", "143", "239")
@pytest.mark.parametrize("own_key", ["", "private_key_file"])
def test_a_hospital_may_know_us_as_a_backend_service_too(configuration: Configuration, own_key: str) -> None:
    scopes = ["system/Patient.rs", "system/*.r", "system/ImagingStudy.read", "system/Consent.crus"]
    changed = {"consent": "write", "scopes": WRITING, "system_scopes": scopes}
    backend(configuration, **(changed | ({"system_private_key_file": own_key} if own_key else {})))
    provider = configuration.load().providers[0]
    assert provider.system_client_id == "b"
    assert provider.system_scopes == tuple(scopes)
    assert provider.system_private_key_file == (configuration.folder / own_key if own_key else None)
    Draft202012Validator(schema("providers")).validate(configuration.providers)


def test_the_sandbox_may_speak_http_on_this_machine_only(configuration: Configuration) -> None:
    configuration.app["environment"]["name"] = "sandbox"
    for host in ("127.0.0.1", "127.0.0.2", "localhost", "[::1]"):
        configuration.app["server"]["base_url"] = f"http://{host}:8000"
        assert configuration.load().environment == "sandbox"
    for host in ("10.0.0.1", "localhost.evil.example", "0.0.0.0"):  # noqa: S104 -- an address to refuse
        configuration.app["server"]["base_url"] = f"http://{host}:8000"
        with pytest.raises(ConfigurationError, match="base_url"):
            configuration.load()


@pytest.mark.parametrize("content", [None, b"[server", b"\xff", b"server = 5\n"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "smartapp.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        load(path, {})


@given(st.dictionaries(st.sampled_from(sorted(SECTIONS)), st.dictionaries(st.text(), st.text() | st.integers())))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_whatever_stands_in_the_file_it_loads_or_is_refused(
    configuration: Configuration, tables: dict[str, dict[str, object]]
) -> None:
    configuration.app = {
        name: {key: value for key, value in table.items() if key.isidentifier() and key.isascii()}
        for name, table in tables.items()
    }
    with suppress(ConfigurationError):
        assert isinstance(configuration.load(), Settings)
