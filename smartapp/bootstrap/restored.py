"""The parts that notice a backup that was put back."""

from smartapp.audit.checkpoint import Checkpoint
from smartapp.bootstrap.ground import Ground
from smartapp.errors import ConfigurationError
from smartapp.exchange.credentials import Credentials
from smartapp.exchange.developers.service import Developers
from smartapp.exchange.restored.service import Restored
from smartapp.exchange.restored.watch import Watch
from smartapp.identity.service import Identity
from smartapp.tokens.apps.service import AppTokens
from smartapp.tokens.single_use import SingleUse


def build_checkpoint(ground: Ground) -> Checkpoint | None:
    """The file outside the database, where one is configured."""
    path = ground.settings.storage.checkpoint
    return Checkpoint(path, ground.database, ground.keyring) if path is not None else None


def build_watch(
    ground: Ground, identity: Identity, tokens: AppTokens, developers: Developers, credentials: Credentials
) -> Watch | None:
    """What a serving process looks with; None where no file is configured."""
    checkpoint = build_checkpoint(ground)
    if checkpoint is None:
        return None
    single_use = SingleUse(ground.database, ground.keyring, ground.clock)
    restored = Restored(checkpoint, ground.database, identity, tokens, single_use, developers, ground.audit)
    return Watch(restored, credentials)


def require_not_earlier(ground: Ground) -> None:
    """For what serves nobody and cannot end anything: ConfigurationError on a database of before."""
    checkpoint = build_checkpoint(ground)
    mark = checkpoint.read() if checkpoint is not None else None
    if checkpoint is not None and mark is not None and checkpoint.lacks(mark):
        raise ConfigurationError(
            "The database is an earlier one than was served from: start `smartapp serve` first, which ends what must "
            "not go on, and see Backups in docs/operators.md."
        )
