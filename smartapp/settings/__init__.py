"""Settings: typed, frozen, loaded once by `load`, handed in. The keys are described in `config/smartapp.toml`."""

from smartapp.settings.brands import Address, Affiliate, Brand, Portal
from smartapp.settings.loader import load
from smartapp.settings.model import (
    Apps,
    ClientAuth,
    Database,
    Delay,
    DicomwebAuth,
    Jurisdiction,
    Keys,
    Mail,
    Ohif,
    Provider,
    Rendering,
    Server,
    Sessions,
    Settings,
    Storage,
    Upstreams,
    Worklist,
)

__all__ = [
    "Address",
    "Affiliate",
    "Apps",
    "Brand",
    "ClientAuth",
    "Database",
    "Delay",
    "DicomwebAuth",
    "Jurisdiction",
    "Keys",
    "Mail",
    "Ohif",
    "Portal",
    "Provider",
    "Rendering",
    "Server",
    "Sessions",
    "Settings",
    "Storage",
    "Upstreams",
    "Worklist",
    "load",
]
