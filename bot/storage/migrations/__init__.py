"""Schema changes, applied at every start. Columns are added as nullable first, so that old and new replicas can run together.

A change is a file `versions/<number>_<what>.py`: four digits, one more than the last, and `down_revision` names the last.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

logger = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_VERSION = table("alembic_version", column("version_num"))

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
    _change(connection)


def schema_of(connection: Connection) -> Schema:
    """Only looks."""
    versions = sorted(path.name[:4] for path in _HERE.glob("versions/[0-9]*.py"))
    return Schema(_version_of(connection), first=versions[0], wanted=versions[-1])


def _version_of(connection: Connection) -> str:
    if not inspect(connection).has_table(_VERSION.name):
        return ""
    return connection.execute(select(_VERSION.c.version_num)).scalar() or ""


def _change(connection: Connection, to: str = "head") -> None:
    # a tenth of a start and of its memory, and most starts find the schema as it should be
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
