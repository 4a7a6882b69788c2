"""What is computed while a person waits, in CPU time, beside the library that does the plain part of it."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from markdown_it import MarkdownIt

from bot.datadog.insight_recognition import recognise
from bot.datadog.investigations import Conclusion
from bot.datadog.links import SITES, Location
from bot.investigations import report_window
from bot.investigations.report_window import ReadIn, report_modal
from bot.model import Place
from bot.slack.markdown import markdown_blocks
from tests.benchmarks.outside import Figures
from tests.investigations.samples import RUNNING

TURNS = 15
MARKDOWN_SIZE = 9_000
_PART = """## What happened

The **checkout** service began to fail at `12:03 UTC` after deploy [v2.3.1](https://app.datadoghq.com/apm/services/checkout).
Errors rose from 0.2 % to *14 %* within two minutes, see https://app.datadoghq.com/monitors/123.

- `host:web-1` ran out of file descriptors (**EMFILE**)
- the pool of connections to `db-3` was full
  1. first from web-1
  2. then from web-2

| host | errors | p95 |
|------|-------:|----:|
| web-1 | 1,203 | 4.1 s |
| web-2 | 988 | 3.9 s |

```sql
SELECT count(*) FROM orders WHERE state = 'open';
```

> Somebody raised the limit at 12:20, and errors went away.

"""
_MARKDOWN = (_PART * (MARKDOWN_SIZE // len(_PART) + 1))[:MARKDOWN_SIZE]
_NOTIFIED = "?from_ts=1788105779000&to_ts=1788106979000&event_id=8788641826233093636&link_source=monitor_notif"


def _medians(**works: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of CPU of each, taken in turns."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(TURNS):
        for name, work in works.items():
            began = time.process_time()
            work()
            taken[name].append((time.process_time() - began) * 1000)
    return {name: statistics.median(each) for name, each in taken.items()}


async def markdown(_folder: Path) -> Figures:
    """What stands between the end of an investigation, or a click on Full report, and its words."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    read: dict[str, Any] = {"read_in": ReadIn(Place("T1", "C1", "1.1")), "app_url": "https://app.datadoghq.com"}
    investigation = replace(RUNNING, conclusions=(Conclusion("Checkout failed", "Too few connections", _MARKDOWN),))
    report_modal(investigation, **read)

    def opened() -> None:
        report_window._pages.cache_clear()
        report_modal(investigation, **read)

    taken = _medians(
        alone=lambda: parser.parse(_MARKDOWN),
        blocks=lambda: markdown_blocks(_MARKDOWN),
        opened=opened,
        turned=lambda: report_modal(investigation, 1, **read),
    )
    alone = taken["alone"]
    return {
        "9 KB of Markdown as blocks, beside markdown-it alone: CPU, ms": (taken["blocks"], alone),
        "Full report of it opened: CPU, ms": (taken["opened"], alone),
        "Full report of it, a page turned: CPU, ms": (taken["turned"], alone),
    }


async def recognition(_folder: Path) -> Figures:
    """What stands between a click on Add and the links in the list."""
    pages = [f"{SITES[0].app_url}/monitors/{number}" for number in range(100)]
    notified = [page + _NOTIFIED for page in pages]
    home = Location(SITES[0])

    def taken_apart() -> None:
        for url in notified:
            parse_qsl(urlsplit(url).query)

    taken = _medians(
        plain=partial(recognise, "\n".join(pages), home),
        notified=partial(recognise, "\n".join(notified), home),
        alone=taken_apart,
    )
    return {
        "100 plain links recognised: CPU, ms": (taken["plain"], None),
        "100 links of notifications recognised, beside urllib alone: CPU, ms": (taken["notified"], taken["alone"]),
    }
