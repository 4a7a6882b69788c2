"""Outcomes and problems as JSON for the rows of submits, and back."""

from dataclasses import asdict
from typing import Any

from bot.datadog.case_model import Insight
from bot.insights.outcome import BatchOutcome, Cause, InsightOutcome, Problem, Refusal

Record = dict[str, Any]


def outcome_record(outcome: InsightOutcome) -> list[Record]:
    return [_batch_record(batch) for batch in outcome.batches]


def read_outcome(records: list[Record]) -> InsightOutcome:
    return InsightOutcome(tuple(_read_batch(record) for record in records))


def problem_record(problem: Problem) -> Record:
    return asdict(problem)


def read_problem(record: Record | None) -> Problem | None:
    return Problem(**{**record, "cause": Cause(record["cause"])}) if record else None


def _batch_record(batch: BatchOutcome) -> Record:
    return {
        "number": batch.number,
        "done": [_insight(each) for each in batch.done],
        "refused": [[_insight(each.insight), problem_record(each.problem)] for each in batch.refused],
        "open": [_insight(each) for each in batch.open],
        "problem": problem_record(batch.problem) if batch.problem else None,
        "tried": batch.tried,
    }


def _read_batch(record: Record) -> BatchOutcome:
    refused = ((Insight(*insight), read_problem(problem)) for insight, problem in record["refused"])
    return BatchOutcome(
        number=record["number"],
        done=tuple(Insight(*each) for each in record["done"]),
        refused=tuple(Refusal(insight, problem) for insight, problem in refused if problem),
        open=tuple(Insight(*each) for each in record["open"]),
        problem=read_problem(record["problem"]),
        tried=record["tried"],
    )


def _insight(insight: Insight) -> list[str]:
    return [insight.type, insight.ref, insight.resource_id]
