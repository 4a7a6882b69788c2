"""The state behind the fake: its organisations, its clock, the scripts of the runs to come. No HTTP here."""

import random
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from bot.sandbox.datadog.investigations import FakeInvestigation, Script
from bot.sandbox.datadog.journal import Journal
from bot.sandbox.datadog.org import FakeOrg
from bot.sandbox.datadog.users import FakeUser

_APP_PREFIXED = {"datadoghq.com", "datadoghq.eu", "ddog-gov.com"}


class World:
    def __init__(self, site: str, clock: Callable[[], float], seed: int | None = None) -> None:
        self.site = site
        self.clock = clock
        self.journal = Journal()
        self.orgs: list[FakeOrg] = []
        self.default_script = Script()
        self.usual_scripts: dict[int | None, Script] = {}
        self.newest_first = True
        self.spelling: dict[str, str] = {}
        self._scripts: dict[int | None, deque[Script]] = {}
        self._random = random.Random(seed) if seed is not None else random.SystemRandom()
        self._serial = 0

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def serial(self) -> int:
        self._serial += 1
        return self._serial

    def app_url(self, subdomain: str = "") -> str:
        if subdomain:
            return f"https://{subdomain}.{self.site}"
        return f"https://app.{self.site}" if self.site in _APP_PREFIXED else f"https://{self.site}"

    def add_org(self, name: str, api_key: str, app_key: str, subdomain: str = "") -> FakeOrg:
        if any(org.api_key == api_key for org in self.orgs):
            raise ValueError(f"the API key of {name!r} is taken")
        owner = FakeUser(self.new_id(), "Bits Bot", f"bits-bot@{subdomain or name}.example", service_account=True)
        number = 717_122 + len(self.orgs)
        url = self.app_url(subdomain)
        org = FakeOrg(name, number, self.new_id(), api_key, app_key, url, owner, subdomain)
        self.orgs.append(org)
        return org

    def plan(self, scripts: tuple[Script, ...], monitor_id: int | None) -> None:
        self._scripts.setdefault(monitor_id, deque()).extend(scripts)

    def next_script(self, monitor_id: int | None) -> Script:
        for key in (monitor_id, None):
            waiting = self._scripts.get(key)
            if waiting:
                return waiting.popleft()
        return self.usual_scripts.get(monitor_id, self.default_script)

    def spelled(self, status: str) -> str:
        return self.spelling.get(status, status)

    def start_investigation(self, org: FakeOrg, title: str, **known: Any) -> FakeInvestigation:
        script = known.pop("script", None) or self.next_script(known.get("monitor_id"))
        run = FakeInvestigation(
            self.new_id(), self.new_id(), org.name, script.title or title, self.clock(), script, **known
        )
        org.investigations.append(run)
        return run

    def happened(self, kind: str, org: FakeOrg, subject: Any, **details: Any) -> None:
        self.journal.happened(kind, self.clock(), org.name, subject, **details)
