"""Our Datadog client beside Datadog's official one: CPU time a call. The local Datadog runs in a process of its own."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.bits_ai_api import BitsAIApi
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.model.case_insight import CaseInsight
from datadog_api_client.v2.model.case_insight_type import CaseInsightType
from datadog_api_client.v2.model.case_insights_attributes import CaseInsightsAttributes
from datadog_api_client.v2.model.case_insights_data import CaseInsightsData
from datadog_api_client.v2.model.case_insights_request import CaseInsightsRequest
from datadog_api_client.v2.model.case_resource_type import CaseResourceType

from bot.datadog.cases import Cases, Insight
from bot.datadog.client import Datadog
from bot.datadog.investigations import BitsInvestigations
from bot.sandbox.datadog import FakeDatadog, Script
from tests.benchmarks.outside import Figures
from tests.contract.conftest import configured
from tests.contract.test_fake_datadog_investigations import for_alert

ROUNDS = 5
CALLS = {"get": 60, "trigger": 60, "list of 100 cases": 3, "add 100 insights": 10}  # in each round
INSIGHTS = 100

Call = Callable[[], Any]


async def serve() -> None:
    """What both clients are asked to fetch, written to standard output once it is there; until standard input ends."""
    async with FakeDatadog() as fake:
        fake.plan_always(Script.held())
        alert = fake.fire(fake.add_monitor("Disk is filling up"), group="host:db-3")
        run = fake.investigate_elsewhere("Checkout is slow")
        project = fake.add_project("SRE", "Site reliability")
        made = [fake.add_case(f"Disk {number} is filling up", project, priority="P3") for number in range(100)]
        told = {
            "url": fake.url,
            "keys": [fake.api_key, fake.app_key],
            "run": run.id,
            "case": made[0].key,
            "alert": [alert.monitor.id, alert.event_id, alert.event_ts],
        }
        print(json.dumps(told), flush=True)
        await asyncio.to_thread(sys.stdin.read)


@contextmanager
def local_datadog() -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.benchmarks.datadog_client"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def _insights_request() -> CaseInsightsRequest:
    untyped: Callable[..., CaseInsight] = CaseInsight
    kind = CaseInsightType("MONITOR")  # type: ignore[no-untyped-call]
    listed = [untyped(type=kind, ref=f"/monitors/{each}", resource_id=str(each)) for each in range(INSIGHTS)]
    attributes = CaseInsightsAttributes(insights=listed)
    return CaseInsightsRequest(data=CaseInsightsData(attributes=attributes, type=CaseResourceType.CASE))


def _official(client: ApiClient, told: dict[str, Any]) -> dict[str, Call]:
    bits: Any = BitsAIApi(client)  # type: ignore[no-untyped-call]
    cases: Any = CaseManagementApi(client)  # type: ignore[no-untyped-call]
    monitor_id, event_id, event_ts = told["alert"]
    alert: Any = SimpleNamespace(monitor=SimpleNamespace(id=monitor_id), event_id=event_id, event_ts=event_ts)
    return {
        "get": lambda: bits.get_investigation(told["run"]),
        "trigger": lambda: bits.trigger_investigation(for_alert(alert)),
        "list of 100 cases": lambda: cases.search_cases(page_size=100),
        "add 100 insights": lambda: cases.add_case_insights(told["case"], _insights_request()),
    }


def _ours(client: Datadog, told: dict[str, Any]) -> dict[str, Call]:
    bits, cases = BitsInvestigations(client), Cases(client)
    insights = [Insight("MONITOR", f"/monitors/{each}", str(each)) for each in range(INSIGHTS)]
    return {
        "get": partial(bits.get, told["run"]),
        "trigger": partial(bits.trigger_alert, *told["alert"]),
        "list of 100 cases": partial(cases.search, size=100),
        "add 100 insights": partial(cases.add_insights, told["case"], insights),
    }


def _configuration(told: dict[str, Any]) -> Configuration:
    there: Any = SimpleNamespace(url=told["url"])
    return configured(there, *told["keys"])


async def _awaited(call: Callable[[], Awaitable[object]], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        await call()
    return (time.process_time() - began) / times


def _called(call: Call, times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times


async def against_the_official_client(_folder: Path) -> Figures:
    """Requests a CPU second of each, taken in turns."""
    with local_datadog() as told, ApiClient(_configuration(told)) as client:
        async with Datadog(told["url"], *told["keys"], app_url="https://app.datadoghq.com") as datadog:
            ours, official = _ours(datadog, told), _official(client, told)
            taken: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in ours}
            for turn in range(ROUNDS + 1):
                for name, (us, them) in taken.items():
                    pair = await _awaited(ours[name], CALLS[name]), _called(official[name], CALLS[name])
                    if turn:  # the first warms up
                        us.append(pair[0])
                        them.append(pair[1])
    return {
        f"Datadog client, {name}, beside the official one: requests a CPU second": (
            1 / statistics.median(us),
            1 / statistics.median(them),
        )
        for name, (us, them) in taken.items()
    }


if __name__ == "__main__":
    asyncio.run(serve())
