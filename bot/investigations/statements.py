"""What the heart asks of its tables for every investigation: built once, since that takes longer than to run it."""

from typing import Any

from sqlalchemy import Insert, bindparam, select, update
from sqlalchemy.sql.dml import ReturningInsert

from bot.investigations.model import State
from bot.investigations.tables import investigations, poll_turns, seen_alerts, subscribers
from bot.storage.engine import Database
from bot.storage.leases import fenced
from bot.storage.tables import A_PLACE, newly_due

_RUNS_ASKED = 100  # the latest, by their index

_OF_ID: Any = bindparam("of_id")
_OF_ORG: Any = bindparam("of_org")

# -- writing: with `Database.once`, or with what is to be written among the parameters -----------------------------------


def new_investigation(database: Database) -> ReturningInsert[Any]:
    return database.insert_new(investigations).values(newly_due(database.moment)).returning(*investigations.c)


def new_subscriber(database: Database) -> ReturningInsert[Any]:
    return database.insert_new(subscribers).values(created_at=database.moment).returning(*subscribers.c)


def first_turn(database: Database) -> Insert:
    return database.insert_new(poll_turns).values(next_at=0.0, slow_at=0.0)


_VISIBLY = {"version": investigations.c.version + 1}
HELD = fenced(investigations).values(_VISIBLY)
OF_ONE = update(investigations).values(_VISIBLY).where(investigations.c.id == _OF_ID)
RUNNING = OF_ONE.where(investigations.c.state == State.RUNNING)

# -- reading -------------------------------------------------------------------------------------------------------------

THESE = select(investigations).where(investigations.c.id.in_(bindparam("ids", expanding=True)))
WHO_WAITS = select(subscribers).where(subscribers.c.investigation_id == _OF_ID).order_by(subscribers.c.id)
WHO_WAITS_WITH_REF = WHO_WAITS.add_columns(investigations.c.ref, investigations.c.org).join(
    investigations, investigations.c.id == subscribers.c.investigation_id
)
LATEST_RUN = (
    select(*(investigations.c[name] for name in ("run", "state", "datadog_id", "failure")))
    .where(investigations.c.org == _OF_ORG, investigations.c.subject_key == bindparam("of_key"))
    .order_by(investigations.c.run.desc())
    .limit(1)
)
LATEST_CONCLUDED = (
    select(*(investigations.c[name] for name in ("monitor_id", "adopted", "started_at", "finished_at")))
    .where(investigations.c.org == _OF_ORG, investigations.c.state == State.CONCLUDED)
    .order_by(investigations.c.finished_at.desc())
    .limit(_RUNS_ASKED)
)

SEEN = select(seen_alerts.c.alert, seen_alerts.c.run).where(
    seen_alerts.c.workspace == A_PLACE.workspace,
    seen_alerts.c.channel == A_PLACE.channel,
    seen_alerts.c.ts == A_PLACE.thread_ts,
)
"""What was seen in a message, with `of_place` of it as if it were a thread's first."""
