"""The whole schema: every module that declares tables is imported here, so that none is overlooked."""

from bot.alerts import tables as alert_tables
from bot.cases import tables as case_tables
from bot.insights import tables as draft_tables
from bot.orgs import tables as org_tables
from bot.rules import tables as rule_tables
from bot.storage import tables
from bot.workspaces import tables as install_tables

metadata = tables.metadata

__all__ = [
    "alert_tables",
    "case_tables",
    "draft_tables",
    "install_tables",
    "metadata",
    "org_tables",
    "rule_tables",
    "tables",
]
