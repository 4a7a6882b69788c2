"""Schema changes, applied at every start. Columns are added as nullable first, so that old and new replicas can run together.

A change is a file `versions/<number>_<what>.py`: four digits, one more than the last, and `down_revision` names the last.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

logger = logging.getLogger(__name__)

TOO_OLD = (
    "It was made by a version from before the first release, which this one can't bring up to date. Let the last version "
    "that could (commit c2d8696) start on it once, or put it aside and begin with a new one."
)


class SchemaTooOldError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Schema:
    """Which schema a database has, and which this version knows, by their numbers."""

    there: str  # empty: none
    first: str
    wanted: str

    @property
    def is_current(self) -> bool:
        return self.there == self.wanted

    @property
    def is_newer(self) -> bool:
        return self.there > self.wanted

    @property
    def is_too_old(self) -> bool:
        return "" < self.there < self.first


def upgrade(connection: Connection) -> None:
    schema = schema_of(connection)
    if schema.is_too_old:
        raise SchemaTooOldError(f"The database has schema {schema.there}. {TOO_OLD}")
    if schema.is_newer:
        told = "the database has the schema of a newer version (%s), which this one can use as it is"
        logger.warning(told, schema.there)
    if schema.is_current or schema.is_newer:
        return
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def schema_of(connection: Connection) -> Schema:
    """Only looks."""
    there = MigrationContext.configure(connection).get_current_revision() or ""
    scripts = ScriptDirectory.from_config(_config())
    return Schema(there, first=scripts.get_base() or "", wanted=scripts.get_current_head() or "")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
