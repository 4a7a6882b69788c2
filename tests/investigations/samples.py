"""Investigations to show, and words that try to be more than words."""

from dataclasses import replace

from bot.investigations.model import Investigation, State
from bot.model import AlertRef

APP = "https://app.datadoghq.com"
RUN = "0195c8a2-7b1e-7c3a-9f00-3a5b1c2d4e5f"
HOSTILE = "<!channel> @here `x` ``` *b* <@U666> <https://evil.example|Datadog> \u202egnp.exe " + "&<>" * 1_500
SUBJECT = AlertRef(123, "8788641826233093636", 1788106679000, "High latency", "service:web")
INV = Investigation(
    id=7,
    ref="INV-7K2",
    org="default",
    run=1,
    state=State.REQUESTED,
    created_at=1_700_000_000,
    requested_by="U0ANA",
    alert=SUBJECT,
)
RUNNING = replace(INV, state=State.RUNNING, datadog_id=RUN, url=f"{APP}/bits-ai/investigations/{RUN}")
