"""A time of the week as people write it, and the week that ends then. Knows nothing of channels."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FORM = re.compile(
    r"(?P<day>[a-z]{3,9}) (?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?: (?P<zone>[\w/+-]{1,60}))?", re.ASCII
)
HOW = "write it like monday 09:00 Europe/Vienna"


@dataclass(frozen=True, slots=True)
class WeeklyTime:
    day: int  # Monday is 0
    hour: int
    minute: int
    zone: str

    def __str__(self) -> str:
        return f"{_DAYS[self.day]} {self.hour:02}:{self.minute:02} {self.zone}"

    @property
    def has_zone(self) -> bool:
        try:
            ZoneInfo(self.zone)
        except (ValueError, OSError, KeyError):
            return False
        return True

    def week(self, now: float) -> tuple[float, float]:
        """The last whole one before `now`, from this time to this time on the clock there, whatever that clock did meanwhile."""
        there = datetime.fromtimestamp(now, ZoneInfo(self.zone))
        day = there.date() - timedelta(days=(there.weekday() - self.day) % 7)
        until = self._at(day.year, day.month, day.day)
        if until > now:
            day -= timedelta(days=7)
            until = self._at(day.year, day.month, day.day)
        before = day - timedelta(days=7)
        return self._at(before.year, before.month, before.day), until

    def _at(self, year: int, month: int, day: int) -> float:
        there = datetime(year, month, day, self.hour, self.minute, tzinfo=ZoneInfo(self.zone))
        return there.astimezone(UTC).timestamp()


def read_weekly(text: str) -> WeeklyTime:
    """A day may be shortened, and without a zone it is UTC. ValueError says how to write it."""
    found = _FORM.fullmatch(_plain(text))
    day = next((at for at, name in enumerate(_DAYS) if found and name.startswith(found["day"])), None)
    if found is None or day is None or int(found["hour"]) > 23 or int(found["minute"]) > 59:
        raise ValueError(f"{text[:60]!r} is no time of the week; {HOW}")
    return WeeklyTime(day, int(found["hour"]), int(found["minute"]), found["zone"] or "UTC")


def weekly_here(text: str) -> str:
    """As it is kept. Which zones there are is the machine's to say, so what is stored is not checked for it again."""
    time = read_weekly(text)
    if not time.has_zone:
        raise ValueError(f"{time.zone!r} is no time zone that is known here; {HOW}")
    return str(time)


def _plain(text: str) -> str:
    """The day in small letters; zones are written as they are."""
    day, _, rest = " ".join(text.split()).partition(" ")
    return f"{day.lower()} {rest}"
