"""What the checks need to know of the place where an app is registered."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """`sandbox`: pages and keys may be on this machine, over http. `names` are the hospitals': no app may bear one."""

    sandbox: bool
    names: tuple[str, ...]
