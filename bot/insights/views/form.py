"""The window in which insights are put together: the case, links to paste, the list, and what can't be attached."""

from collections.abc import Iterator

from bot.datadog.insight_drafts import SetAside
from bot.datadog.insight_types import KINDS
from bot.insights.attach_form import AttachForm, CaseChoice, HandForm
from bot.insights.drafts import MOST_IN_A_REQUEST
from bot.insights.picker import Hint, Offer, PickedCase
from bot.insights.views.parts import CALLBACK_FORM, CHOSEN, MOST_SHOWN, field, modal, selects, some
from bot.slack.blocks import (
    Block,
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
from bot.slack.message import Message
from bot.slack.text import code, cut, escape, one_line
from bot.wording import CASE, DATADOG, INSIGHTS, counted

CASE_PICKED = "attach:case"
PASTED = "attach:paste"
ADD = "attach:add"
BY_HAND = "attach:by_hand"
HAND_TYPE = "attach:hand_type"
HAND_REF = "attach:hand_ref"
HAND_ID = "attach:hand_id"
ADD_BY_HAND = "attach:hand_add"
COMMENT = "attach:comment"
FORGET = "attach:forget"
REMOVE = "attach:remove"
BEGIN = "attach:begin"

PASTE_LIMIT = 3_000
_MOST_SET_ASIDE = 12
_MOST_HELD = 8
_HINTS = {
    Hint.SLOW: f"{DATADOG} is slow: keep typing to see more",
    Hint.FAILING: f"{DATADOG} does not answer: keep typing to try again",
    Hint.FORBIDDEN: f"{DATADOG} does not let me search {CASE}s: paste a link or key",
    Hint.NOTHING: f"No {CASE} found yet: keep typing a key or words of its title",
    Hint.NO_ORG: f"No {DATADOG} organisation is connected: ask an admin",
}


def attach_form(sheet: AttachForm, key: str) -> Block:
    blocks = [
        *([context(escape(sheet.notice))] if sheet.notice else []),
        _picker(sheet),
        _paste(sheet),
        actions(*_buttons(sheet), block_id="adding"),
        *_hand_section(sheet),
        divider(),
        *_list(sheet),
        *_held(sheet),
        *_set_aside(sheet),
    ]
    return modal("Attach insights", CALLBACK_FORM, key, blocks, submit="Attach")


# -- the case -------------------------------------------------------------------------------------------------------


def _picker(sheet: AttachForm) -> Block:
    element: Block = {
        "type": "external_select",
        "action_id": CASE_PICKED,
        "min_query_length": 0,
        "placeholder": plain("Key, link or words of its title", 150),
    }
    if sheet.case:
        element["initial_option"] = case_option(sheet.case)
    return field(case_block(sheet), CASE.capitalize(), element, optional=False, tells=True)


def case_block(sheet: AttachForm) -> str:
    """Named after the case: Slack keeps what stands in a field of the same name, so another case needs another field."""
    return f"case:{sheet.case_round}:{sheet.case.id if sheet.case else ''}"


def case_option(case: CaseChoice | PickedCase) -> Block:
    name = case.key or case.id
    title = one_line(case.title, 75)
    status = one_line(getattr(case, "status", ""), 20)
    words = f"{name} · {title}" if title else name
    room = 75 - (len(status) + 3 if status else 0)
    return option(cut(words, room) + (f" ({status})" if status else ""), f"{case.id} {case.key}".strip())


def case_options(offer: Offer) -> list[Block]:
    """What the picker shows; a hint stands last and leads nowhere."""
    hint = [option(_HINTS[offer.hint], f"hint:{offer.hint}")] if offer.hint is not Hint.NONE else []
    return [*(case_option(case) for case in offer.cases[: 100 - len(hint)]), *hint]


# -- adding ---------------------------------------------------------------------------------------------------------


def _paste(sheet: AttachForm) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": PASTED,
        "multiline": True,
        "max_length": PASTE_LIMIT,
        "placeholder": plain("https://app.datadoghq.com/monitors/12345 …", 150),
    }
    hint = "Any number of links, separated by anything. Add moves them to the list and empties this field for more."
    return field(paste_block(sheet), f"Paste {DATADOG} links", element, hint=hint)


def paste_block(sheet: AttachForm) -> str:
    return f"paste:{sheet.paste_round}"


def _buttons(sheet: AttachForm) -> Iterator[Block]:
    yield button("Add", ADD, style="primary", label="Add the pasted links to the list")
    yield button("Hide by hand" if sheet.hand else "Add by hand", BY_HAND, value="hide" if sheet.hand else "")
    if sheet.case:
        yield button("Remove insights", REMOVE, label="Remove insights that the case has")


def _hand_section(sheet: AttachForm) -> Iterator[Block]:
    if sheet.hand is None:
        return
    number = sheet.hand_round
    yield divider()
    yield field(f"hand_type:{number}", "Kind", _kinds(sheet.hand))
    yield field(f"hand_ref:{number}", "Page", _line(HAND_REF, sheet.hand.ref), hint=f"Its link or path in {DATADOG}.")
    yield field(f"hand_id:{number}", "Id", _line(HAND_ID, ""), hint="As its page shows it.")
    if sheet.hand.problems:
        yield section("\n".join(f":warning: {escape(problem)}" for problem in sheet.hand.problems))
    yield actions(button("Add this one", ADD_BY_HAND), block_id="by_hand")


def _kinds(start: HandForm) -> Block:
    options = [option(kind.title, kind.type.value) for kind in KINDS.values()]
    element: Block = {"type": "static_select", "action_id": HAND_TYPE, "options": options}
    wanted = [each for each in options if start.type and each["value"] == start.type.value]
    return {**element, "initial_option": wanted[0]} if wanted else element


def _line(action_id: str, initial: str) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": action_id, "max_length": 2_500}
    return {**element, "initial_value": initial} if 0 < len(initial) <= 2_500 else element


# -- the list -------------------------------------------------------------------------------------------------------


def _list(sheet: AttachForm) -> Iterator[Block]:
    lines = [line for line in sheet.insights.lines if not line.on_case]
    yield section(_count(sheet))
    choices = [(line.draft.label, line.draft.handle) for line in lines]
    chosen = frozenset(line.draft.handle for line in lines if line.chosen)
    yield from selects(choices, chosen, label=INSIGHTS.capitalize(), name=f"list:{sheet.list_round}", action_id=CHOSEN)
    if remark := _overflow(len(lines), len(sheet.insights.to_send)):
        yield context(remark)


def _count(sheet: AttachForm) -> str:
    if not sheet.insights.lines:
        return f"*No {INSIGHTS} listed yet.* Paste links above and press Add."
    summary = sheet.insights.summary
    return f"*{sheet.insights.counter}*" + (f": {escape(summary)}" if summary else "")


def _overflow(listed: int, to_send: int) -> str:
    remarks = []
    if to_send > MOST_IN_A_REQUEST:
        requests = -(-to_send // MOST_IN_A_REQUEST)
        remarks.append(f"They are sent in {requests} requests of up to {MOST_IN_A_REQUEST}, one after the other.")
    if listed > MOST_SHOWN:
        remarks.append(f"The first {MOST_SHOWN} are shown; the other {listed - MOST_SHOWN:,} are kept and sent too.")
    return " ".join(remarks)


def _held(sheet: AttachForm) -> Iterator[Block]:
    held = sheet.insights.on_case
    if not held or sheet.case is None:
        return
    name = one_line(sheet.case.name, 60)
    yield rich_text(
        rich_section([run(f"Already on {name}, not sent again:")]),
        *(rich_bullet([run(label)]) for label in some((one_line(draft.label, 150) for draft in held), _MOST_HELD)),
    )


# -- what can't be attached -----------------------------------------------------------------------------------------


def _set_aside(sheet: AttachForm) -> Iterator[Block]:
    pieces = sheet.insights.set_aside
    if not pieces:
        return
    yield divider()
    yield section(f"*Set aside, {counted(len(pieces), 'piece')} of what you pasted:*")
    for number, piece in enumerate(pieces[:_MOST_SET_ASIDE]):
        yield _piece(piece, number)
    if len(pieces) > _MOST_SET_ASIDE:
        yield context(f"and {len(pieces) - _MOST_SET_ASIDE} more, kept until you forget them.")
    if sheet.comment_links:
        yield _comment(sheet)
    yield actions(button("Forget what was set aside", FORGET), block_id="set_aside")


def _piece(piece: SetAside, number: int) -> Block:
    words = f"{code(piece.url, 200)}\n{escape(piece.sentence)}"
    accessory = button("By hand", BY_HAND, value=f"piece:{number}") if piece.type else None
    return section(words, accessory=accessory)


def _comment(sheet: AttachForm) -> Block:
    links = len(sheet.comment_links)
    words = "Post this link as a comment on the case" if links == 1 else f"Post these {links} links as one comment"
    ticked = option(words, "comment")
    element: Block = {"type": "checkboxes", "action_id": COMMENT, "options": [ticked]}
    if sheet.comment:
        element["initial_options"] = [ticked]
    return field(f"comment:{sheet.paste_round}:{links}", "Instead", element, tells=True)


# -- where no window can be opened by itself ------------------------------------------------------------------------


def begin_message(words: str) -> Message:
    """After a mention: only a click may open a window."""
    text = "I can open the window for that as soon as you press the button."
    return Message(
        text, [section(text), actions(button("Attach insights", BEGIN, value=cut(words, 500), style="primary"))]
    )
