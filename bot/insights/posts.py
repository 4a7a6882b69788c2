"""The one line a thread gets when insights were attached, as the poster asks for it."""

from collections.abc import Callable

from bot.insights.attach_jobs import AttachJobs
from bot.insights.views.result import line_message
from bot.model import Place
from bot.slack.message import Message, sentences
from bot.slack.posting_errors import posting_sentence
from bot.slack.replies import Replies
from bot.slack.text import channel_mention
from bot.storage.outbox import Delivery


class AttachedLines:
    def __init__(self, submits: AttachJobs, replies: Replies, app_url: Callable[[str], str]) -> None:
        self._submits = submits
        self._replies = replies
        self._app_url = app_url

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        submit = await self._submits.get(delivery.post.subject_id)
        if submit is None or not submit.changed_something:
            return None
        return line_message(submit, self._app_url(submit.org), may_repeat=may_repeat)

    async def refused(self, delivery: Delivery, code: str) -> None:
        """The work is done all the same; whoever did it hears that the thread was not told."""
        submit = await self._submits.get(delivery.post.subject_id)
        if submit is None:
            return
        post = delivery.post
        line = line_message(submit, self._app_url(submit.org))
        place = Place(post.workspace, post.channel, post.thread_ts)
        why = posting_sentence(code, channel=channel_mention(post.channel))
        await self._replies.tell(place, post.requester, sentences("I could not tell the thread.", why, line.text))
