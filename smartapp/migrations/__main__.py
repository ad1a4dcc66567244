"""Writes a new revision from what the models have that the newest revision has not. To be read before it is kept."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config

from smartapp.db import schema
from smartapp.db.engine import make_engine
from smartapp.settings import Database


def main(message: str, revision_id: str) -> None:
    """Compares on an empty SQLite database brought to the newest revision, and writes into `versions`."""
    with TemporaryDirectory() as folder:
        engine = make_engine(Database(f"sqlite:///{folder}/models.db"))
        schema.upgrade(engine)
        with engine.connect() as connection:
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(Path(__file__).parent))
            config.set_main_option("path_separator", "os")
            config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            command.revision(config, message, autogenerate=True, rev_id=revision_id)
        engine.dispose()


if __name__ == "__main__":
    main(" ".join(sys.argv[2:]), sys.argv[1])
