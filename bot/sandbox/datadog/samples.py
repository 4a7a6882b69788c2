"""Conclusions as Bits writes them, harmless and hostile, for scripts and stories."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FakeConclusion:
    title: str
    summary: str = ""
    description: str = ""


DISK_FULL = FakeConclusion(
    "Log rotation stopped on checkout-db-3, its disk filled up",
    "The disk of `checkout-db-3` reached 97 % because logrotate has failed since the 02:10 deployment of `db-agent` 4.2.",
    """## What happened
At **02:10 UTC** `db-agent` 4.2 was deployed to the `checkout-db` hosts. Its package replaces `/etc/logrotate.d/db-agent`
with a file that names a group which does not exist, so *logrotate* fails for **every** log on the host.

## Evidence
| Signal | Before | After |
|---|---|---|
| `system.disk.in_use{host:checkout-db-3}` | 0.61 | 0.97 |
| logrotate failures an hour | 0 | 60 |

1. [Disk usage](https://app.datadoghq.com/metric/explorer?exp_metric=system.disk.in_use) rises in a straight line from 02:12.
2. `error: /etc/logrotate.d/db-agent:4 unknown group 'dbagent'` is logged once a minute.

```bash
sudo groupadd --system dbagent && sudo logrotate --force /etc/logrotate.conf
```

## Next step
Create the group on the four hosts, then pin `db-agent` to 4.1 until the package is mended.
""",
)

POOL_EXHAUSTED = FakeConclusion(
    "Connection pool of payments-api exhausted by slow ledger queries",
    "p99 of `ledger.balance` went from 40 ms to 2.1 s after an index was dropped; requests wait for a connection.",
    "The migration `0192_drop_unused` dropped `ledger_account_idx`, which was **in use** by `SELECT balance`.\n\n"
    "- Pool wait: `12 s` (limit `15 s`)\n- 5xx on `POST /charge`: 8.4 %\n",
)

NOTHING_CERTAIN = FakeConclusion(
    "No single cause stands out",
    "Traffic and deployments look normal; there is not enough telemetry from `edge-cache` to tell more.",
    "No traces are sent by `edge-cache`, so the path between the load balancer and `web` can't be seen.",
)

HOSTILE = FakeConclusion(
    "<!channel> *urgent* <https://evil.example/login|Sign in to Datadog> & @here",
    "<!here> please <@U12345678> open <https://evil.example|https://app.datadoghq.com> `code` ~gone~ <!subteam^S1>",
    "# <!everyone>\n\n@here @channel <!channel>\n\n[https://app.datadoghq.com](https://evil.example/phish) "
    "![pixel](https://evil.example/pixel.png)\n\n```\n<!channel> ``` not closed\n\n<script>alert(1)</script>\n\u202etxet\u202c\n",
)


def _long_description() -> str:
    rows = "\n".join(
        f"| `shard-{n:02}` | {40 + n} ms | {900 + 13 * n} ms | [trace](https://app.datadoghq.com/apm/trace/{n:016x}) |"
        for n in range(56)
    )
    frames = "\n".join(
        f'  File "/srv/search/worker_{n}.py", line {100 + n}, in handle_{n}\n    return await self.shard({n}).lookup(key)'
        for n in range(32)
    )
    return (
        "## Summary\nEvery shard slowed down at once when the cache lost its warm set. <!channel> @here\n\n"
        "## Latency by shard\n\n| Shard | p50 before | p50 after | Sample |\n|---|---:|---:|---|\n"
        f"{rows}\n\n## Where the time goes\n\n```python\nTraceback (most recent call last):\n{frames}\nTimeoutError\n```\n\n"
        "## What to do\n\n1. Warm the cache: `make warm SHARDS=all`\n2. Raise the timeout **for an hour**\n"
        "   - on `search-api`\n   - on `search-worker`\n3. ~~Restart everything~~ (it would empty the cache again)\n\n"
        "> The same thing happened in [incident 412](https://app.datadoghq.com/incidents/412).\n"
    )


LONG = FakeConclusion(
    "Cold cache after the failover slowed every search shard",
    "All 56 shards read from disk since 14:03 because the cache came up empty after the failover. " * 4,
    _long_description(),
)

THREE = (DISK_FULL, POOL_EXHAUSTED, NOTHING_CERTAIN)
