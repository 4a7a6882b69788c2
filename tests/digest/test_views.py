"""A channel's week as people read it, and as CSV that no spreadsheet works out."""

import csv
from dataclasses import replace

from bot.datadog.investigations import Conclusion
from bot.digest.report import ChannelReport, OpenCase, ReportedRun
from bot.digest.views import MOST_ROWS, csv_lines, csv_message, digest_message
from bot.investigations.model import Investigation, State, Verdict, Votes
from bot.model import AlertRef
from tests.digest.conftest import an_investigation
from tests.slack.blockkit import check_message, shown

CAUSE = (Conclusion("=cmd() <!channel> Log rotation stopped", "", ""),)
DONE: Investigation = an_investigation(
    state=State.CONCLUDED, verdict=Verdict.CONCLUSIVE, conclusions=CAUSE, started_at=100.0, finished_at=340.0
)
RUN = ReportedRun(DONE, Votes(2, 1))
FULL = ChannelReport(
    0.0,
    604_800.0,
    runs=(RUN, ReportedRun(an_investigation(state=State.RUNNING))),
    charged=2,
    automatic=1,
    open_cases=tuple(OpenCase("default", f"CASEM-{n}", "Disk <!here>", "Open") for n in range(7)),
    noisiest=(("Disk is filling up", 12),),
)


def test_a_week_says_what_came_of_it_and_pings_nobody() -> None:
    message = digest_message(FULL)
    check_message(message)
    told = shown(message.blocks)
    for words in (
        "2 investigations, 1 with a cause",
        "usually 4 minutes to a conclusion",
        "votes: 2 right, 1 wrong",
        "2 starts paid for, 1 automatic",
        "7 open cases",
        "Disk is filling up: 12 alerts",
        "and 2 more",
        "2 right, 1 wrong",
        "Log rotation stopped",
    ):
        assert words in told
    assert "<!here>" not in told
    assert sum(block["type"] == "table" for block in message.blocks) == 1
    assert not any(block["type"] == "table" for block in message.plainer)


def test_a_quiet_week_and_a_busy_one_fit() -> None:
    quiet = digest_message(ChannelReport(0.0, 604_800.0))
    check_message(quiet)
    assert "nothing was investigated" in quiet.text
    check_message(digest_message(replace(FULL, runs=())))
    busy = digest_message(replace(FULL, runs=(RUN,) * 300))
    check_message(busy)
    (table,) = (block for block in busy.blocks if block["type"] == "table")
    assert len(table["rows"]) == MOST_ROWS + 1
    assert f"{300 - MOST_ROWS} more investigations" in shown(busy.blocks)


def test_csv_is_read_back_and_no_cell_is_a_formula() -> None:
    head, row = list(csv.reader(csv_lines((RUN,))))
    told = dict(zip(head, row, strict=True))
    assert (told["seconds"], told["right"], told["wrong"]) == ("240", "2", "1")
    assert told["likely cause"].startswith("'=cmd()")


def test_csv_fits_a_message_and_says_what_did_not() -> None:
    message = csv_message(replace(FULL, runs=(RUN,) * 300))
    check_message(message)
    assert "did not fit" in shown(message.blocks)
    check_message(csv_message(ChannelReport(0.0, 1.0)))
    assert isinstance(DONE.alert, AlertRef)
