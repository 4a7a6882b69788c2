"""What the local Bits finds out, for each kind of alert: its cause with numbers that fit the alert, and the ways a run may end."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.sandbox.datadog import FakeConclusion, Script, samples

_APP = "https://app.datadoghq.com"


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause, and what else might have been it."""

    cause: FakeConclusion
    evidence: tuple[tuple[str, str, str], ...]  # signal, before, after
    others: tuple[FakeConclusion, ...]

    @property
    def with_table(self) -> FakeConclusion:
        return replace(
            self.cause, description=f"{self.cause.description}\n\n## Before and now\n{_table(self.evidence)}\n"
        )

    @property
    def huge(self) -> FakeConclusion:
        """More than a message of Slack holds: every endpoint and every minute of it."""
        signal, before, after = self.evidence[0]
        minutes = tuple((f"{signal}, minute {n:02}", before, after) for n in range(70))
        traces = "\n".join(
            f"{n}. [trace {n:03}]({_APP}/apm/trace/{0x5EED00 + n:016x}) shows `{signal}`" for n in range(90)
        )
        words = f"{self.cause.description}\n\n## Minute by minute\n{_table(minutes)}\n\n## Traces\n{traces}\n"
        return replace(self.cause, summary=f"{self.cause.summary} " * 3, description=words)


def _table(rows: tuple[tuple[str, str, str], ...]) -> str:
    lines = [f"| `{signal}` | {before} | {after} |" for signal, before, after in rows]
    return "\n".join(["| Signal | Before | Now |", "|---|---|---|", *lines])


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way a run may end, to be chosen."""

    id: str
    name: str
    script: Callable[[Finding, tuple[tuple[str, float], ...]], Script]


OUTCOMES = (
    Outcome("conclusive", "Conclusive", lambda found, states: Script(states, "conclusive", (found.cause,))),
    Outcome(
        "several",
        "Several conclusions",
        lambda found, states: Script(states, "conclusive", (found.cause, *found.others)),
    ),
    Outcome(
        "table", "Conclusive, with a table", lambda found, states: Script(states, "conclusive", (found.with_table,))
    ),
    Outcome("huge", "Conclusive, huge text", lambda found, states: Script(states, "conclusive", (found.huge,))),
    Outcome(
        "inconclusive",
        "Inconclusive",
        lambda _found, states: Script(states, "inconclusive", (samples.NOTHING_CERTAIN,)),
    ),
    Outcome("failed", "Failed", lambda _found, states: Script(states, "failed", ())),
    Outcome("never", "Never ends", lambda found, _states: replace(Script.held(), conclusions=(found.cause,))),
)


def outcome_named(name: str) -> Outcome | None:
    return next((outcome for outcome in OUTCOMES if outcome.id == name), None)


LATENCY = Finding(
    FakeConclusion(
        "Connection pool of payments-db is exhausted since payments-api 2.14",
        "p95 of `checkout` went from 0.4 s to 2.4 s because `payments-api` 2.14 holds a database connection during each call "
        "to the card network.",
        f"""## What happened
Minutes before the alert `payments-api` **2.14** was deployed. It opens a transaction before it calls the card network, and keeps the
connection until the answer is there. With 20 connections in the pool every further checkout waits for one.

## What was looked at
1. [p95 latency of checkout]({_APP}/metric/explorer?exp_metric=trace.http.request) rises from 0.4 s to 2.4 s within a minute of the deployment, above the threshold of 1.2 s.
2. 84 % of a slow trace is `pool.acquire`, see [one of them]({_APP}/apm/trace/7c1f30aa52d94e0b).
3. Traffic and error rate did not change; no other service slowed down before.

```bash
kubectl rollout undo deployment/payments-api
```

## Next step
Roll `payments-api` back to 2.13, then move the call to the card network out of the transaction.""",
    ),
    (
        ("p95:trace.http.request{service:checkout}", "0.4 s", "2.4 s"),
        ("payments.db.pool.wait", "3 ms", "1.9 s"),
        ("payments.db.pool.in_use", "6 of 20", "20 of 20"),
    ),
    (
        FakeConclusion(
            "The card network answers slower than usual",
            "Calls to the card network take 310 ms instead of 190 ms, which alone does not explain 2.4 s.",
            "The slowdown began twenty minutes **before** the alert; it makes the pool run dry sooner.",
        ),
        FakeConclusion(
            "A daily report reads from the same database",
            "`settlement-report` is still running and takes 4 of the 20 connections.",
            "It does so every day at this hour, without an alert so far.",
        ),
    ),
)

DISK = Finding(
    samples.DISK_FULL,
    (("system.disk.in_use{host:checkout-db-3}", "0.61", "0.97"), ("logrotate failures an hour", "0", "60")),
    (samples.NOTHING_CERTAIN,),
)

LOGS = Finding(
    FakeConclusion(
        "An expired certificate makes the card network refuse every call",
        "`payments-api` logs 240 `SSL: CERTIFICATE_HAS_EXPIRED` a minute since its client certificate expired.",
        """## What happened
The client certificate `CN=payments.acme.example` expired ten minutes ago. Since then each call to the
card network ends with `CERTIFICATE_HAS_EXPIRED`.

## Next step
Issue the certificate anew (`make cert-payments`) and restart `payments-api`; then add a synthetic test for its last day.""",
    ),
    (("logs: status:error service:payments-api", "2 a minute", "240 a minute"), ("charges accepted", "99.4 %", "0 %")),
    (),
)

APM = Finding(
    samples.POOL_EXHAUSTED,
    (("5xx on POST /charge", "0.2 %", "8.4 %"), ("ledger.balance p99", "40 ms", "2.1 s")),
    (LATENCY.others[0],),
)

SYNTHETICS = Finding(
    FakeConclusion(
        "The sign-in page lost its button in the release of web-shop 5.3",
        "The test stops at step 3, *Click Sign in*, in all three locations: the button has another name since `web-shop` 5.3.",
        """## What happened
Step 3 looks for `button[data-test=sign-in]`. Since `web-shop` **5.3** it is called `login-submit`. People can still sign in:
the number of sessions did not change.

## Next step
Change the test, or bring the old name back.""",
    ),
    (("test passed, of 3 locations", "3", "0"), ("sign-ins a minute", "212", "208")),
    (),
)

SLO = Finding(
    FakeConclusion(
        "Checkout uses up its error budget 6 times faster than planned",
        "The 30-day budget of *Checkout succeeds* (99.9 %) lasts 5 more days at today's rate; `payments-api` causes nine in ten errors.",
        """## What happened
In the last two hours 2.1 % of the checkouts failed, nine in ten of them with a 502 of `payments-api`.

## Next step
Freeze releases of `payments-api` until the errors of these hours are understood.""",
    ),
    (("burn rate, 1 h", "0.4", "6.2"), ("error budget left", "71 %", "18 %")),
    (),
)

COMPOSITE = Finding(
    FakeConclusion(
        "Orders wait because one consumer group stopped",
        "The queue grows and no order is confirmed: all 12 consumers of `order-confirm` left the group at once.",
        """## What happened
A rebalance began a quarter of an hour ago and never ended: consumer 7 answers no heartbeat while it reads a message of 48 MB.

## Next step
Skip offset `18 220 417` of partition 7, then limit the size of a message to 1 MB.""",
    ),
    (("kafka.consumer_lag{group:order-confirm}", "12", "48 210"), ("orders confirmed a minute", "85", "0")),
    (),
)

SIGNAL = Finding(
    FakeConclusion(
        "The sign-ins of deploy-bot come from a new build runner",
        "The address 203.0.113.24 belongs to the build runner that was added an hour ago; the same key is used from both.",
        "The runner `ci-west-9` was added by a change that was reviewed. Nothing but builds was done with the key.",
    ),
    (("sign-ins of deploy-bot from new addresses", "0", "14"),),
    (),
)

ERRORS = Finding(
    FakeConclusion(
        "CartTotalError: carts with a voucher have no currency",
        "Since `web-shop` 5.3 a voucher is added before the currency is known; 312 people met the error in an hour.",
        "The commit `9f2c1ab` moved `apply_voucher()` in front of `resolve_currency()`.",
    ),
    (("CartTotalError an hour", "0", "312"),),
    (),
)

GENERAL = Finding(
    FakeConclusion(
        "Nothing unusual but the release of payments-api 2.14",
        "Of everything that changed in the last hours only `payments-api` 2.14 goes along with slower checkouts.",
        "Checkouts slowed down from 0.4 s to 2.4 s right after it was deployed. Traffic, errors and hosts look like on any other day.",
    ),
    LATENCY.evidence,
    LATENCY.others,
)
