"""What people do while it storms, and what has to have come of it in the end."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from sqlalchemy import select

from bot.investigations.tables import asks
from bot.sandbox.datadog import FakeConclusion, Script
from tests.faults.campaign import Deed, insist
from tests.faults.figures import Figures
from tests.faults.storm import Alert, Storm

MONITORS = 5
CHANNELS = 8  # a bot posts once a second into one
RUN_ENDS_AFTER = 0.5  # seconds


class Investigations:
    """Alerts of a few monitors, each investigated; a run's conclusions name the event that it was started for."""

    def __init__(self, storm: Storm) -> None:
        self.storm = storm
        self._monitors = [storm.datadog.add_monitor(f"Disk {number} almost full") for number in range(MONITORS)]
        self._channels = [storm.slack.workspace.add_channel(f"alerts-{number}") for number in range(CHANNELS)]
        storm.datadog.plan_always(Script.held())

    def __iter__(self) -> Iterator[Deed]:
        while True:
            yield self.press

    async def press(self) -> None:
        number = len(self.storm.alerts)
        fired = self.storm.datadog.fire(self._monitors[number % MONITORS], group=f"host:web-{number}")
        alert = await self.storm.post(fired, self._channels[number % CHANNELS])
        await insist(lambda: self.storm.investigate(alert))

    @asynccontextmanager
    async def ending(self) -> AsyncIterator[None]:
        """Whatever is started ends soon."""
        ends = asyncio.create_task(self._end_runs())
        try:
            yield
        finally:
            ends.cancel()
            await asyncio.wait({ends})

    async def _end_runs(self) -> None:
        ended = 0
        while True:
            await asyncio.sleep(RUN_ENDS_AFTER)
            runs = self.storm.datadog.triggers()
            for run in runs[ended:]:
                cause = FakeConclusion(f"Cause of event {run.event_id}.", "Logs filled the disk.", "Rotate them.")
                self.storm.datadog.finish(run.id, conclusions=[cause])
            ended = len(runs)

    async def judge(self, figures: Figures) -> None:
        refused = await self.storm.values(select(asks.c.thread_ts).where(asks.c.state == "refused"))
        kept = await self.storm.values(select(asks.c.thread_ts))
        started = Counter(run.event_id for run in self.storm.datadog.triggers())
        figures.doubled += [f"event {event}: {times} runs" for event, times in started.items() if times > 1]
        for number, alert in enumerate(self.storm.alerts):
            was_told = alert.message.ts in refused or (alert.message.ts not in kept and self._nothing_begun(alert))
            if was_told and not alert.posts:
                figures.unclear += 1  # Slack did not say who asks, or there was no time to write it down
                continue
            self._judge_alert(
                f"alert {number} in {alert.message.channel.name} (event {alert.fired.event_id})", alert, figures
            )

    def _nothing_begun(self, alert: Alert) -> bool:
        """Acknowledged, and the person told that it was not kept; on a busy machine a bot may lack its two seconds."""
        here = [each for each in self.storm.ana.ephemerals if each.channel is alert.message.channel]
        return any("nothing was started" in each.shown for each in here)

    def _judge_alert(self, name: str, alert: Alert, figures: Figures) -> None:
        posts = alert.posts
        figures.doubled += [f"{name}: {times} posts {kind}" for kind, times in posts.items() if times > 1]
        causes = {
            event for reply in alert.message.replies for event in re.findall(r"Cause of event (\d+)\.", reply.shown)
        }
        if causes - {alert.fired.event_id}:
            figures.wrong.append(f"{name} has the conclusions of {sorted(causes)}")
        if posts["conclusions"]:
            if not alert.says("Answered in") and alert.says("Investigating"):
                figures.wrong.append(f"{name} has its conclusions, and its card says that it runs")
        elif posts["card"] and alert.is_uncertain:
            figures.unclear += 1
        else:
            figures.lost.append(f"{name}: {dict(posts)}")
