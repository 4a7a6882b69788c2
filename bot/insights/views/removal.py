"""Taking insights off a case: choose, confirm. What became of it is shown as for attaching."""

from collections.abc import Iterator

from bot.datadog.case_model import Insight
from bot.datadog.insight_drafts import plain_label
from bot.datadog.insight_types import type_summary
from bot.insights.attach_form import AttachForm
from bot.insights.views.parts import (
    BACK,
    CALLBACK_CONFIRM,
    CALLBACK_NOTHING,
    CALLBACK_REMOVAL,
    LEAVING,
    modal,
    selects,
    some,
    unshown,
)
from bot.slack.blocks import Block, actions, button, context, rich_bullet, rich_section, rich_text, run, section
from bot.slack.text import code, escape, one_line
from bot.wording import CASE, DATADOG, INSIGHT, INSIGHTS, counted

_TITLE = "Remove insights"
_MOST_LISTED = 30


def removal_view(sheet: AttachForm, key: str) -> Block:
    """The case's insights to choose from; a sentence while they are fetched or if there are none."""
    back = actions(button("Back", BACK), block_id="back")
    if not sheet.held:
        return modal(_TITLE, CALLBACK_NOTHING, key, [section(_nothing(sheet)), back], close="Close")
    choices = [(label_in(sheet, insight), handle) for handle, insight in sheet.removable]
    name = f"leaving:{sheet.list_round}"
    blocks = [
        section(f"{_case(sheet)} has {counted(len(choices), INSIGHT)}. Choose which ones to remove."),
        *selects(choices, sheet.leaving, label=INSIGHTS.capitalize(), name=name, action_id=LEAVING),
        *unshown(len(choices)),
        back,
    ]
    return modal(_TITLE, CALLBACK_REMOVAL, key, blocks, submit="Next")


def confirm_view(sheet: AttachForm, key: str) -> Block:
    leaving = sheet.to_remove
    summary = escape(type_summary(insight.type for insight in leaving))
    labels = (label_in(sheet, insight) for insight in leaving)
    blocks = [
        section(f"*Remove {counted(len(leaving), INSIGHT)} from {_case(sheet)}?* {summary}"),
        rich_text(rich_section([run("These leave the case:")]), *_bullets(some(labels, _MOST_LISTED))),
        context(f"They stay in {DATADOG} and can be attached again."),
        actions(button("Back", BACK), block_id="back"),
    ]
    return modal(_TITLE, CALLBACK_CONFIRM, key, blocks, submit="Remove")


def label_in(sheet: AttachForm, insight: Insight) -> str:
    """The name it has in the list, if it stands there; else its kind and id."""
    known = (draft.label for draft in sheet.insights.drafts if draft.key == insight.key)
    return one_line(next(known, "") or plain_label(insight.type, insight.resource_id), 150)


def _bullets(labels: list[str]) -> Iterator[Block]:
    return (rich_bullet([run(label or "Insight")]) for label in labels)


def _nothing(sheet: AttachForm) -> str:
    if sheet.case is None:
        return f"Choose a {CASE} first."
    if sheet.held is None:
        return f"Reading {_case(sheet)} from {DATADOG}… If this takes long, go back and try again."
    return f"{_case(sheet)} has no {INSIGHTS}."


def _case(sheet: AttachForm) -> str:
    return code(sheet.case.name, 70) if sheet.case else f"the {CASE}"
