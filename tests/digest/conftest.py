"""Investigations as a digest finds them."""

from typing import Any

from bot.investigations.model import Investigation, State
from bot.model import AlertRef


def an_investigation(**changes: Any) -> Investigation:
    alert = AlertRef(monitor_id=7, event_id="1", event_ts=1, monitor_name="Disk is filling up", group="host:a")
    known = {"id": 1, "ref": "R1", "org": "default", "run": 1, "created_at": 90.0, "requested_by": "U1", "alert": alert}
    return Investigation(**{"state": State.REQUESTED, **known, **changes})
