"""Schema changes, applied at every start. Columns are added as nullable first, so that old and new replicas can run together."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

logger = logging.getLogger(__name__)


def upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    there = MigrationContext.configure(connection).get_current_revision()
    if there is not None and there not in _known(config):
        logger.warning("the database has the schema of a newer version (%s), which this one can use as it is", there)
        return
    command.upgrade(config, "head")


def _known(config: Config) -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
