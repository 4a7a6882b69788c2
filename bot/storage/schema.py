"""The whole schema: every module that declares tables is imported here, so that none is overlooked."""

from bot.storage import install_tables, tables

metadata = tables.metadata

__all__ = ["install_tables", "metadata", "tables"]
