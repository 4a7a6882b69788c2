"""Pressing, choosing, filling in and submitting: what Slack's client does before, and with, the app's answer."""

import contextlib
from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack.blockkit import check_options
from bot.sandbox.slack.errors import ApiError, NotAcknowledged, NotOnScreen
from bot.sandbox.slack.forms import Suggestions, complaints, dispatches, put
from bot.sandbox.slack.payloads import base_payload, send
from bot.sandbox.slack.places import Address, Found, InMessage, Place, action_of, find
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.screens import View
from bot.sandbox.slack.values import holds_value
from bot.sandbox.slack.visible import Outcome, Reader

_PRESSED = ("button", "icon_button", "workflow_button", "overflow", "feedback_buttons")
_SHORTEST_QUERY = 3
_TROUBLE = "We had some trouble connecting. Try again?"


class Interactions:
    def __init__(self, person: Reader) -> None:
        self._person = person
        self._suggested: Suggestions = {}

    def _find(self, place: Place, what: str | Address, index: int = 0) -> Found:
        person = self._person
        if isinstance(place, InMessage) and not place.message.visible_to(person.id):
            raise NotOnScreen(f"{person.name} does not see that message")
        return find(place, what, user_id=person.id, name_of=person.workspace.name_of, index=index)

    async def press(self, place: Place, what: str | Address, *, index: int, confirm: bool) -> Outcome:
        found = self._find(place, what, index)
        if found.kind not in _PRESSED:
            raise NotOnScreen(f"{what!r} is a {found.kind}: choose or fill it in")
        outcome = Outcome.begin(self._person)
        outcome.asked = _dialog(found.element)
        if outcome.asked and not confirm:
            return outcome
        outcome.opened_url = str((found.part or found.element).get("url", ""))
        outcome.answer = await self._act(place, found)
        return outcome

    async def _act(self, place: Place, found: Found) -> JSON:
        person, slack = self._person, self._person.slack
        where = place.described()
        channel_id = str(where.get("channel", {}).get("id", ""))
        view_id = str(where.get("view", {}).get("id", ""))
        payload = base_payload(person, "block_actions", view_id=view_id, channel_id=channel_id) | where
        payload["actions"] = [action_of(found, place.values, f"{slack.clock():.6f}")]
        if isinstance(place, InMessage):
            payload["response_url"] = slack.response_urls.issue(place.message.channel, person.id, place.message)
        return await send(person, "interactive", payload, f"a warning sign beside {found.action_id}")

    async def choose(self, place: Place, what: str | Address, options: list[Any], *, confirm: bool) -> Outcome:
        found = self._find(place, what)
        if not holds_value(found.element):
            raise NotOnScreen(f"{what!r} is a {found.kind}: press it")
        outcome = Outcome.begin(self._person)
        outcome.asked = _dialog(found.element)
        if outcome.asked and not confirm:
            return outcome
        await self._put(place, found, options, outcome, enter=True)
        return outcome

    async def fill(self, place: Place, entries: Mapping[str, Any] | Mapping[Address, Any]) -> Outcome:
        outcome = Outcome.begin(self._person)
        for what, wanted in entries.items():
            await self._put(place, self._find(place, what), wanted, outcome, enter=False)
        return outcome

    async def _put(self, place: Place, found: Found, wanted: Any, outcome: Outcome, *, enter: bool) -> None:
        single = isinstance(wanted, list) and len(wanted) == 1
        put(
            place, found, wanted[0] if single and found.kind.endswith(("_input", "picker")) else wanted, self._suggested
        )
        self._person.slack.changes.notify()
        if dispatches(found, enter=enter):
            outcome.answer = await self._act(place, found)

    async def press_enter(self, place: Place, what: str | Address) -> Outcome:
        outcome = Outcome.begin(self._person)
        found = self._find(place, what)
        if dispatches(found, enter=True):
            outcome.answer = await self._act(place, found)
        return outcome

    async def look_up(self, place: Place, what: str | Address, query: str) -> JSON:
        """What an external select offers for a few letters: options, or groups of them."""
        found = self._find(place, what)
        if "external_select" not in found.kind:
            raise NotOnScreen(f"{what!r} is a {found.kind}: nothing is looked up in it")
        if len(query) < found.element.get("min_query_length", _SHORTEST_QUERY):
            return {"options": []}
        answer = await self._suggestions(place, found, query)
        self._suggested[place.key, found.action_id] = offered_in(answer)
        return answer

    async def _suggestions(self, place: Place, found: Found, query: str) -> JSON:
        payload = base_payload(self._person, "block_suggestion") | place.described()
        payload |= {"action_id": found.action_id, "block_id": found.block_id, "value": query}
        answer = await send(self._person, "interactive", payload, "No results (the options did not load)")
        problems = check_options(answer)
        if problems:
            raise NotAcknowledged(f"{self._person.name} sees: No results ({'; '.join(problems)})")
        return answer

    async def submit(self) -> Outcome:
        view = self._open_modal()
        if not view.definition.get("submit"):
            raise NotOnScreen(f"the modal {view.title!r} has no submit button")
        outcome = Outcome.begin(self._person)
        view.errors = complaints(view)
        if not view.errors:
            submission = base_payload(self._person, "view_submission", view_id=view.id, channel_id=view.origin)
            submission |= {"view": view.to_json(), "response_urls": self._response_urls(view)}
            outcome.answer = await send(self._person, "interactive", submission, _TROUBLE)
            await self._obey(view, outcome.answer)
        shown = self._person.modal
        outcome.errors = shown.errors if shown and shown.view is view else {}
        self._person.slack.changes.notify()
        return outcome

    def _open_modal(self) -> View:
        view = self._person.slack.screens.top(self._person.id)
        if view is None:
            raise NotOnScreen(f"{self._person.name} has no modal open")
        return view

    def _response_urls(self, view: View) -> list[JSON]:
        """One for each conversation chosen in a select that asked for it."""
        slack, urls = self._person.slack, []
        for block in view.blocks:
            element = block.get("element", {})
            if element.get("response_url_enabled"):
                value = view.values[block["block_id"]][element["action_id"]]
                chosen = value.get("selected_conversation") or value.get("selected_channel")
                if chosen:
                    url = slack.response_urls.issue(slack.channel_of(chosen), self._person.id)
                    place = {"block_id": block["block_id"], "action_id": element["action_id"]}
                    urls.append({**place, "channel_id": chosen, "response_url": url})
        return urls

    async def _obey(self, view: View, answer: JSON) -> None:
        """Does what the app's answer to the submission says; an empty one closes this view."""
        screens, action = self._person.slack.screens, answer.get("response_action")
        try:
            if action is None and not answer:
                screens.close(view)
            elif action == "clear":
                screens.close(view, whole_stack=True)
            elif action == "update":
                screens.update(view, answer.get("view"))
            elif action == "push":
                screens.push(answer.get("view"), view)
            elif action == "errors":
                view.errors = _errors(view, answer.get("errors"))
            else:
                _refuse(answer)
        except ApiError as refused:
            raise NotAcknowledged(f"{self._person.name} sees: {_TROUBLE} ({refused.error} {refused.more})") from None

    async def close(self, *, everything: bool) -> None:
        view = self._open_modal()
        for closed in self._person.slack.screens.close(view, whole_stack=everything):
            if closed.definition.get("notify_on_close"):
                closing = {"view": closed.to_json(), "is_cleared": everything}
                with contextlib.suppress(NotAcknowledged):  # nobody would notice
                    await send(
                        self._person, "interactive", base_payload(self._person, "view_closed") | closing, _TROUBLE
                    )
        self._person.slack.changes.notify()


def offered_in(answer: JSON) -> list[JSON]:
    """The options of an answer, out of their groups."""
    groups: list[JSON] = answer.get("option_groups", [])
    return [*answer.get("options", []), *(option for group in groups for option in group["options"])]


def _refuse(answer: JSON) -> None:
    raise ApiError("unknown response_action", answer=answer)


def _errors(view: View, errors: Any) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise ApiError("errors must name input blocks")
    strangers = errors.keys() - inputs
    if strangers:
        raise ApiError("errors for blocks that are no inputs", blocks=sorted(strangers))
    return {name: str(sentence) for name, sentence in errors.items()}


def _dialog(element: JSON) -> str:
    """A confirm dialog in one line, '' where there is none."""
    confirm: dict[str, Any] | None = element.get("confirm")
    if confirm is None:
        return ""
    words = {name: confirm[name]["text"] for name in ("title", "text", "confirm", "deny")}
    return f"{words['title']}: {words['text']} [{words['deny']}] [{words['confirm']}]"
