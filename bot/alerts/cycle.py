"""How notices make a cycle, and what a cycle comes to. Pure: whatever the order of arrival, the outcome is the same."""

from dataclasses import dataclass

from bot.alerts.model import Cycle, Moment, Notice, Transition
from bot.model import AlertRef, MonitorRef

MOST_MOMENTS = 60

_WEIGHT = {
    Transition.ALERT: 0,
    Transition.NO_DATA: 1,
    Transition.WARN: 2,
    Transition.OTHER: 3,
    Transition.RENOTIFY: 4,
}


@dataclass(frozen=True, slots=True)
class AlertStanding:
    """What a card has to say about a cycle. Times are Unix milliseconds."""

    state: Transition  # of the newest event; one that only repeats leaves the state as it was
    since: int | None  # when the trouble began; None when only its end is known
    recovered_at: int | None
    subject: AlertRef | MonitorRef | None  # what an investigation of it would be about

    @property
    def lasted(self) -> float | None:
        """Seconds from the first trouble to the recovery."""
        if self.since is None or self.recovered_at is None:
            return None
        return max(0.0, (self.recovered_at - self.since) / 1000)


def joined(cycle: Cycle | None, notice: Notice) -> Cycle:
    """The cycle with one more notice in it; one that was in it already changes nothing."""
    moment = Moment(notice.event_ts, notice.event_id, notice.transition)
    moments = _kept({*(cycle.moments if cycle else ()), moment})
    latest = notice if cycle is None or notice.order > cycle.latest.order else cycle.latest
    trouble = cycle.trouble if cycle else None
    if moment.is_trouble and (trouble is None or notice.order > trouble.order):
        trouble = notice
    return Cycle(latest, trouble, moments)


def _kept(moments: set[Moment]) -> tuple[Moment, ...]:
    """Of what only repeats, the first and the last tell enough: a monitor may renotify for weeks."""
    ordered = sorted(moments, key=lambda moment: moment.order)
    repeated = [moment for moment in ordered if moment.transition is Transition.RENOTIFY]
    dropped = set(repeated[1:-1])
    return tuple([moment for moment in ordered if moment not in dropped][-MOST_MOMENTS:])


def standing(cycle: Cycle) -> AlertStanding:
    trouble, recovered_at = _last_trouble(cycle.moments)
    return AlertStanding(
        state=_state(trouble) if recovered_at is None else Transition.RECOVERED,
        since=trouble[0].ts if trouble else None,
        recovered_at=recovered_at,
        subject=_subject(cycle, trouble),
    )


def _last_trouble(moments: tuple[Moment, ...]) -> tuple[list[Moment], int | None]:
    """The last run of events without a recovery between them, and when it ended."""
    trouble: list[Moment] = []
    ended: int | None = None
    for moment in moments:
        if not moment.is_trouble:
            ended = moment.ts if ended is None else ended  # told twice, it still ended the first time
            continue
        if ended is not None:
            trouble, ended = [], None
        trouble.append(moment)
    return trouble, ended


def _state(trouble: list[Moment]) -> Transition:
    telling = (moment.transition for moment in reversed(trouble) if moment.transition is not Transition.RENOTIFY)
    return next(telling, Transition.ALERT)


def _subject(cycle: Cycle, trouble: list[Moment]) -> AlertRef | MonitorRef | None:
    """The event that began the worst of it: it stays the same through repetitions, so nothing is investigated twice."""
    notice = cycle.trouble or cycle.latest
    if not notice.monitor_id or notice.test:
        return None
    known = [moment for moment in trouble if moment.event_id]
    if not known:
        return MonitorRef(notice.monitor_id, notice.name, notice.group)
    first = min(known, key=lambda moment: (_WEIGHT[moment.transition], moment.order))
    return AlertRef(notice.monitor_id, first.event_id, first.ts, notice.name, notice.group)
