"""The window in which insights are put together or chosen to be removed: how it is drawn, and what was left in its fields.

The case, links to paste, the list, what can't be attached. What was typed is read without trusting it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from bot.datadog.cases import MOST_INSIGHTS, Insight
from bot.datadog.insights import KINDS, SetAside, plain_label, type_summary
from bot.insights.attach_form import AttachForm, CaseChoice
from bot.insights.picker import CaseOffer, PickerHint
from bot.insights.sending import in_groups
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    divider,
    option,
    plain,
    rich_bullet,
    rich_section,
    rich_text,
    run,
    section,
)
from bot.slack.forms import FormState, checkboxes, form_field, modal, multi_select, select, text_input
from bot.slack.text import code, cut, escape, one_line
from bot.wording import CASE, DATADOG, INSIGHT, INSIGHTS, counted

CALLBACK_FORM = "attach_form"
CALLBACK_REMOVAL = "attach_removal"
CALLBACK_CONFIRM = "attach_removal_confirm"
CALLBACK_RESULT = "attach_result"
CALLBACK_NOTHING = "attach_nothing"  # windows without a submit button

BEGIN = "attach:begin"
CASE_PICKED = "attach:case"
PASTED = "attach:paste"
ADD = "attach:add"
BY_HAND = "attach:by_hand"
HAND_TYPE = "attach:hand_type"
HAND_REF = "attach:hand_ref"
HAND_ID = "attach:hand_id"
ADD_BY_HAND = "attach:hand_add"
CHOSEN = "attach:list"
COMMENT = "attach:comment"
FORGET = "attach:forget"
REMOVE = "attach:remove"
LEAVING = "attach:leaving"
BACK = "attach:back"
REFRESH = "attach:refresh"  # shows how things stand

PASTE_LIMIT = 3_000
_LINE_LIMIT = 2_500
_MOST_SET_ASIDE = 12
_MOST_HELD = 8
_MOST_LEAVING = 30
_A_SELECT = 100
_MOST_SHOWN = 5 * _A_SELECT  # more would outgrow a window; the rest is counted, kept and sent all the same
_BYTES_OF_OPTIONS = 190_000  # of the 250,000 a window may have; each option stands twice where it is chosen
_FRAME = 110  # bytes of an option without its text
_LENGTHS = (75, 60, 45, 34, 25, 18, 12, 8, 4)
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_HINTS = {
    PickerHint.SLOW: f"{DATADOG} is slow: keep typing to see more",
    PickerHint.FAILING: f"{DATADOG} does not answer: keep typing to try again",
    PickerHint.FORBIDDEN: f"{DATADOG} does not let me search {CASE}s: paste a link or key",
    PickerHint.NOTHING: f"No {CASE} found yet: keep typing a key or words of its title",
    PickerHint.NO_ORG: f"No {DATADOG} organisation is connected: ask an admin",
}


def attach_view(form: AttachForm, key: str) -> Block:
    """`key` is all that the window carries."""
    blocks = [
        *([context(escape(form.notice))] if form.notice else []),
        _picker(form),
        _paste(form),
        actions(*_buttons(form), block_id="adding"),
        *_hand_section(form),
        divider(),
        *_list(form),
        *_held(form),
        *_set_aside(form),
    ]
    return modal("Attach insights", blocks, callback_id=CALLBACK_FORM, metadata=key, submit="Attach")


def expired_view() -> Block:
    text = (
        "This list is not there any more: it was put away after two hours without use, or belongs to somebody else. "
        "Open the window again, and paste the links once more."
    )
    return modal("Attach insights", [section(text)], callback_id=CALLBACK_NOTHING)


def refused_view(key: str, refusal: Message) -> Block:
    """For somebody who may not do this any more; what was put together waits behind it."""
    blocks = [
        section(refusal.text),
        context("Nothing was sent. What you put together is kept for two hours."),
        actions(button("Back", REFRESH), block_id="back"),
    ]
    return modal("Insights", blocks, callback_id=CALLBACK_NOTHING, metadata=key)


def begin_message(words: str) -> Message:
    """After a mention: only a click may open a window."""
    text = "Press the button to open the window."
    begin = button("Attach insights", BEGIN, value=cut(words, 500), style="primary")
    return Message(text, [section(text), actions(begin)])


# -- the case -------------------------------------------------------------------------------------------------------


def _picker(form: AttachForm) -> Block:
    element: Block = {
        "type": "external_select",
        "action_id": CASE_PICKED,
        "min_query_length": 0,
        "placeholder": plain("Key, link or words of its title", 150),
    }
    if form.case:
        element["initial_option"] = _case_option(form.case)
    # named after the case: Slack keeps what stands in a field of the same name, so another case needs another field
    block_id = f"case:{form.case_round}:{form.case.id if form.case else ''}"
    return form_field(CASE.capitalize(), element, block_id=block_id, sends_changes=True)


def _case_option(case: CaseChoice) -> Block:
    title, status = one_line(case.title, 75), one_line(case.status, 20)
    words = f"{case.name} · {title}" if title else case.name
    room = 75 - (len(status) + 3 if status else 0)
    return option(cut(words, room) + (f" ({status})" if status else ""), f"{case.id} {case.key}".strip())


def case_options(offer: CaseOffer) -> list[Block]:
    """What the picker shows; a hint stands last and leads nowhere."""
    hint = [option(_HINTS[offer.hint], f"hint:{offer.hint}")] if offer.hint is not PickerHint.NONE else []
    return [*(_case_option(case) for case in offer.cases[: 100 - len(hint)]), *hint]


# -- adding ---------------------------------------------------------------------------------------------------------


def _paste(form: AttachForm) -> Block:
    example = "https://app.datadoghq.com/monitors/12345 …"
    element = text_input(PASTED, limit=PASTE_LIMIT, multiline=True, placeholder=example)
    hint = "As many as you like. Add puts them on the list below."
    return form_field(f"Paste {DATADOG} links", element, block_id=f"paste:{form.paste_round}", hint=hint, optional=True)


def _buttons(form: AttachForm) -> Iterator[Block]:
    yield button("Add", ADD, style="primary", label="Add the pasted links to the list")
    yield button("Hide fields" if form.hand else "Add by hand", BY_HAND, value="hide" if form.hand else "")
    if form.case:
        yield button("Remove insights", REMOVE, label="Remove insights that the case has")


def _hand_section(form: AttachForm) -> Iterator[Block]:
    if form.hand is None:
        return
    number, hand = form.hand_round, form.hand
    kinds = [option(kind.title, kind.type.value) for kind in KINDS.values()]
    kind = select(HAND_TYPE, kinds, hand.type.value if hand.type else "")
    page = text_input(HAND_REF, hand.ref if len(hand.ref) <= _LINE_LIMIT else "", limit=_LINE_LIMIT)
    where = f"Its link or path in {DATADOG}."
    yield divider()
    yield form_field("Kind", kind, block_id=f"hand_type:{number}", optional=True)
    yield form_field("Page", page, block_id=f"hand_ref:{number}", hint=where, optional=True)
    resource_id = text_input(HAND_ID, limit=_LINE_LIMIT)
    yield form_field("Id", resource_id, block_id=f"hand_id:{number}", hint="As its page shows it.", optional=True)
    if hand.problems:
        yield section("\n".join(f":warning: {escape(problem)}" for problem in hand.problems))
    yield actions(button("Add this one", ADD_BY_HAND), block_id="by_hand")


# -- the list -------------------------------------------------------------------------------------------------------


def _list(form: AttachForm) -> Iterator[Block]:
    lines = [line for line in form.insights.lines if not line.on_case]
    yield section(_count(form))
    choices = [(line.label, line.handle) for line in lines]
    chosen = frozenset(line.handle for line in lines if line.chosen)
    optional = bool(form.comment_links)  # the comment may be all that is wanted
    yield from _selects(choices, chosen, name=f"list:{form.list_round}", action_id=CHOSEN, optional=optional)
    if remark := _overflow(len(lines), len(form.insights.to_send)):
        yield context(remark)


def _count(form: AttachForm) -> str:
    if not form.insights.lines:
        return f"*No {INSIGHTS} listed yet.* Paste links above and press Add."
    if len(form.insights.on_case) == len(form.insights.lines):
        return "*Nothing left to attach.*"
    summary = form.insights.summary
    return f"*{form.insights.counter}*" + (f": {escape(summary)}" if summary else "")


def _overflow(listed: int, to_send: int) -> str:
    remarks = []
    if to_send > MOST_INSIGHTS:
        requests = -(-to_send // MOST_INSIGHTS)
        remarks.append(f"They are sent in {requests} requests of up to {MOST_INSIGHTS}, one after the other.")
    if listed > _MOST_SHOWN:
        remarks.append(f"The first {_MOST_SHOWN} are shown; the other {listed - _MOST_SHOWN:,} are kept and sent too.")
    return " ".join(remarks)


def _held(form: AttachForm) -> Iterator[Block]:
    held = form.insights.on_case
    if not held or form.case is None:
        return
    name = one_line(form.case.name, 60)
    yield rich_text(
        rich_section([run(f"Already on {name}:")]),
        *(rich_bullet([run(label)]) for label in some((one_line(line.label, 150) for line in held), _MOST_HELD)),
    )


def _selects(
    choices: Sequence[tuple[str, str]],
    chosen: frozenset[str],
    *,
    name: str,
    action_id: str,
    optional: bool = False,
) -> Iterator[Block]:
    """One multi-select a hundred labels with their values; `name` begins their block ids. Of several none has to be used."""
    shown = choices[:_MOST_SHOWN]
    room = _BYTES_OF_OPTIONS // 2 // max(1, len(shown)) - _FRAME
    several = len(shown) > _A_SELECT
    for number, group in enumerate(in_groups(shown, _A_SELECT)):
        options = [option(_fitting(text, room), value) for text, value in group]
        element = multi_select(action_id, options, chosen) | {"placeholder": plain("None chosen")}
        first = number * _A_SELECT + 1
        span = f" {first} to {first + len(group) - 1}" if several else ""
        label = f"{INSIGHTS.capitalize()}{span}"
        yield form_field(label, element, block_id=f"{name}:{number}", optional=several or optional, sends_changes=True)


def _fitting(text: str, size: int) -> str:
    """As much of a label as there is room for; what JSON makes of it is what counts."""
    line = one_line(text, _LENGTHS[0]) or "Insight"
    return next((short for most in _LENGTHS if len(json.dumps(short := cut(line, most))) <= size), "Insight")


def some(lines: Iterable[str], most: int) -> list[str]:
    """The first of them, and how many more there are."""
    everything = list(lines)
    more = len(everything) - most
    return [*everything[:most], f"and {more:,} more"] if more > 0 else everything


# -- what can't be attached -----------------------------------------------------------------------------------------


def _set_aside(form: AttachForm) -> Iterator[Block]:
    pieces = form.insights.set_aside
    if not pieces:
        return
    yield divider()
    yield section("*Can't be attached as pasted:*")
    for number, piece in enumerate(pieces[:_MOST_SET_ASIDE]):
        yield _piece(piece, number)
    if len(pieces) > _MOST_SET_ASIDE:
        yield context(f"and {len(pieces) - _MOST_SET_ASIDE} more, kept until you clear them.")
    if form.comment_links:
        yield _comment(form)
    yield actions(button("Clear these", FORGET, label="Clear what can't be attached"), block_id="set_aside")


def _piece(piece: SetAside, number: int) -> Block:
    words = f"{code(piece.url, 200)}\n{escape(piece.sentence)}"
    accessory = button("By hand", BY_HAND, value=f"piece:{number}") if piece.type else None
    return section(words, accessory=accessory)


def _comment(form: AttachForm) -> Block:
    links = len(form.comment_links)
    words = "Post this link as a comment on the case" if links == 1 else f"Post these {links} links as one comment"
    boxes = checkboxes(COMMENT, [option(words, "comment")], ["comment"] if form.comment else [])
    return actions(boxes, block_id=f"comment:{form.paste_round}:{links}")


# -- taking insights off the case -----------------------------------------------------------------------------------


def removal_view(form: AttachForm, key: str) -> Block:
    """The case's insights to choose from; a sentence while they are fetched or if there are none."""
    back = actions(button("Back", BACK), block_id="back")
    if not form.held:
        blocks = [section(_nothing_to_remove(form)), back]
        return modal("Remove insights", blocks, callback_id=CALLBACK_NOTHING, metadata=key)
    choices = [(_label_in(form, insight), handle) for handle, insight in form.removable]
    blocks = [
        section(f"{_case(form)} has {counted(len(choices), INSIGHT)}. Choose which ones to remove."),
        *_selects(choices, form.leaving, name=f"leaving:{form.list_round}", action_id=LEAVING),
        *_unshown(len(choices)),
        back,
    ]
    return modal("Remove insights", blocks, callback_id=CALLBACK_REMOVAL, metadata=key, submit="Next")


def confirm_view(form: AttachForm, key: str) -> Block:
    leaving = form.to_remove
    summary = escape(type_summary(insight.type for insight in leaving))
    labels = some((_label_in(form, insight) for insight in leaving), _MOST_LEAVING)
    blocks = [
        section(f"*Remove {counted(len(leaving), INSIGHT)} from {_case(form)}?* {summary}"),
        rich_text(
            *(rich_bullet([run(each or "Insight")]) for each in labels),
        ),
        context(f"They stay in {DATADOG} and can be attached again."),
        actions(button("Back", BACK), block_id="back"),
    ]
    return modal("Remove insights", blocks, callback_id=CALLBACK_CONFIRM, metadata=key, submit="Remove")


def _label_in(form: AttachForm, insight: Insight) -> str:
    """The name it has in the list, if it stands there; else its kind and id."""
    known = (line.label for line in form.insights.lines if line.key == insight.key)
    return one_line(next(known, "") or plain_label(insight.type, insight.resource_id), 150)


def _unshown(count: int) -> Iterator[Block]:
    if count > _MOST_SHOWN:
        yield context(
            f"The first {_MOST_SHOWN} are shown. The other {count - _MOST_SHOWN:,} are kept and stay as they are."
        )


def _nothing_to_remove(form: AttachForm) -> str:
    if form.case is None:
        return f"Choose a {CASE} first."
    if form.held is None:
        return f"Reading {_case(form)} from {DATADOG}… If this takes long, go back and try again."
    return f"{_case(form)} has no {INSIGHTS}."


def _case(form: AttachForm) -> str:
    return code(form.case.name, 70) if form.case else f"the {CASE}"


# -- what was left in the fields ------------------------------------------------------------------------------------


class Entered(FormState):
    """What a person left in the fields of the window."""

    @property
    def picked(self) -> str:
        return self.choice(CASE_PICKED)

    @property
    def case(self) -> CaseChoice | None:
        """Hints of the picker are no case, and neither is anything we did not offer in this form."""
        parts = self.picked.split(" ")
        if len(parts) > 2 or not all(_ID.fullmatch(part) for part in parts):
            return None
        return CaseChoice(parts[0], parts[1] if len(parts) == 2 else "")

    @property
    def has_hand_entry(self) -> bool:
        """A kind alone is only what the section by hand may have started with."""
        return bool(self.typed(HAND_REF).strip() or self.typed(HAND_ID).strip())
