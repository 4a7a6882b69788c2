"""The whole schema: every module that declares tables is imported here, so that none is overlooked."""

from bot.alerts import tables as alert_tables
from bot.cases import tables as case_tables
from bot.digest import tables as digest_tables
from bot.home import tables as home_tables
from bot.insights import tables as insight_tables
from bot.investigations import tables as investigation_tables
from bot.orgs import tables as org_tables
from bot.rules import tables as rule_tables
from bot.storage import tables
from bot.workspaces import tables as workspace_tables

metadata = tables.metadata
