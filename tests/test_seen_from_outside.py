"""Metrics, dashboards, alert rules and runbooks speak of what is there."""

import json
import re

import pytest
import yaml

from bot.meters import PREFIX, Counter, Histogram, Meter
from bot.model import Source
from tests.docs import ROOT, metric_name

BY_NAME = {metric_name(meter): meter for meter in Meter.every}
RULES = "deploy/prometheus-rules.yml"
GRAFANA, DATADOG = "deploy/dashboards/grafana.json", "deploy/dashboards/datadog.json"
OPERATIONS = "docs/operations.md"
WORD = r"[a-z][a-z0-9_]*"


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def meter_of(name: str) -> Meter:
    """What a name in a query stands for; a KeyError where there is no such metric."""
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    found = BY_NAME.get(name) or BY_NAME[base]
    assert name in BY_NAME or isinstance(found, Histogram), name
    return found


def promql() -> list[str]:
    dashboard, rules = json.loads(text_of(GRAFANA)), yaml.safe_load(text_of(RULES))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return queries + [rule["expr"] for group in rules["groups"] for rule in group["rules"]]


def datadog_queries() -> list[str]:
    widgets = json.loads(text_of(DATADOG))["widgets"]
    requests = [request for widget in widgets for request in widget["definition"]["requests"]]
    return [query["query"] for request in requests for query in request["queries"]]


def test_every_query_asks_for_a_metric_and_a_label_that_are_there() -> None:
    for query in promql():
        names = re.findall(rf"\b{PREFIX}[a-z_]+", query)
        assert names, query
        known = {label for name in names for label in (*meter_of(name).labels, "le")}
        asked = re.findall(rf"({WORD})=~?\"", query)
        asked += [label for by in re.findall(r"by \(([^)]*)\)", query) for label in re.split(r",\s*", by)]
        assert set(asked) <= known, query


def test_every_query_of_datadog_asks_for_what_its_agent_makes_of_them() -> None:
    made: dict[str, Meter] = {}
    for meter in Meter.every:
        made[f"bits_bot.{meter.name}{'.count' if isinstance(meter, Counter) else ''}"] = meter
    for query in datadog_queries():
        found = re.fullmatch(r"(\w+):([a-z_.]+)\{\$service\}(?: by \{([a-z_,]+)\})?(?:\.as_(?:count|rate)\(\))?", query)
        assert found is not None, query
        how, name, by = found.groups()
        meter = made[name]
        assert set((by or "").split(",")) - {""} <= set(meter.labels), query
        assert how.startswith("p") == isinstance(meter, Histogram), query
        assert ("as_" in query) == isinstance(meter, Counter), query


def test_the_dashboards_show_every_metric() -> None:
    shown = {meter_of(name).name for query in promql() for name in re.findall(rf"\b{PREFIX}[a-z_]+", query)}
    in_datadog = {
        name.removesuffix(".count") for name in re.findall(r"bits_bot\.([a-z_.]+)", " ".join(datadog_queries()))
    }
    assert shown == in_datadog == {meter.name for meter in Meter.every}


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    rules = [rule for group in yaml.safe_load(text_of(RULES))["groups"] for rule in group["rules"]]
    chapter = text_of(OPERATIONS).split("## What to do when it alerts")[1].split("\n## ")[0]
    assert re.findall(r"^### (\w+)$", chapter, flags=re.MULTILINE) == [rule["alert"] for rule in rules]
    for rule in rules:
        assert rule["annotations"]["runbook"] == f"{OPERATIONS}#{rule['alert'].lower()}"
        assert {"severity"} <= set(rule["labels"])


@pytest.mark.parametrize("name", ["docs/metrics.md", OPERATIONS])
def test_the_guides_name_only_metrics_that_are_there(name: str) -> None:
    for metric in re.findall(rf"\b{PREFIX}(?!x)[a-z_]+", text_of(name)):
        meter_of(metric)


def test_the_ways_of_a_start_are_told() -> None:
    (told,) = re.findall(r"^\| `way` \| (.*) \|$", text_of("docs/metrics.md"), flags=re.MULTILINE)
    assert re.findall(r"`(\w+)`", told) == [*Source]


def test_the_parts_of_readiness_are_told() -> None:
    told = re.findall(
        r"^\| `([a-z]+)` \|", text_of(OPERATIONS).split("| Part |")[1].split("\n\n")[0], flags=re.MULTILINE
    )
    assert set(told) == set(re.findall(r'HealthReport\("(\w+)"', text_of("bot/health.py")))


def test_the_lines_of_the_log_that_are_told_are_written() -> None:
    chapter = text_of(OPERATIONS).split("| Line |")[1].split("\n\n")[0]
    told = re.findall(r"^\| `([^`:]+?)(?:: \.\.\.)?` \|", chapter, flags=re.MULTILINE)
    code = "".join(path.read_text("utf-8") for path in (ROOT / "bot").rglob("*.py")).replace(
        '"investigation %s", "accepted" if is_new else "joined"', "investigation accepted investigation joined"
    )
    assert len(told) == 7
    assert [line for line in told if line not in code] == []
