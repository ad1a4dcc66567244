"""The shipped configuration, made loadable: in a folder of its own, with secrets, keys and a database there."""

import re
from pathlib import Path

CONFIG = Path(__file__).parents[2] / "config"


def shipped(folder: Path) -> Path:
    """`config/smartapp.toml` in `folder`, with every path moved there and the providers' secrets written; its path."""
    for name in ("smartapp.toml", "providers.toml", "jurisdictions.toml"):
        text = re.sub(r"/(?:etc|var/lib)/smartapp", str(folder), (CONFIG / name).read_text())
        (folder / name).write_text(text)
        for line in re.findall(r'^\w+_file = "(.*)"', text, re.MULTILINE):
            path = Path(line)
            path.parent.mkdir(exist_ok=True)
            path.write_text("a real secret\n")
            path.chmod(0o600)
    return folder / "smartapp.toml"
