"""The whole schema: every module that declares tables is imported here, so that none is overlooked."""

from bot.storage import alert_tables, case_tables, draft_tables, install_tables, org_tables, rule_tables, tables

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
