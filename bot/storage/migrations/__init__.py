"""Schema changes, applied at every start. Columns are added as nullable first, so that old and new replicas can run together."""

import logging
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Schema:
    """Which schema a database has, and which this version wants."""

    there: str  # empty: none
    wanted: str
    is_newer: bool = False

    @property
    def is_current(self) -> bool:
        return self.there == self.wanted


def upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    there = MigrationContext.configure(connection).get_current_revision()
    if there is not None and there not in _known(config):
        logger.warning("the database has the schema of a newer version (%s), which this one can use as it is", there)
        return
    command.upgrade(config, "head")


def schema_of(connection: Connection) -> Schema:
    """Only looks."""
    there = MigrationContext.configure(connection).get_current_revision() or ""
    config = _config()
    wanted = ScriptDirectory.from_config(config).get_current_head() or ""
    return Schema(there, wanted, is_newer=bool(there) and there not in _known(config))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def _known(config: Config) -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
