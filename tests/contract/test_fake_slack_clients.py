"""slack_sdk's own Web API client, with its retry handlers, paging and Block Kit models, against the local Slack."""

from collections.abc import Callable

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.models.blocks import (
    ActionsBlock,
    AlertBlock,
    Block,
    ButtonElement,
    CardBlock,
    CarouselBlock,
    CheckboxesElement,
    ConfirmObject,
    ContainerBlock,
    ContextActionsBlock,
    ContextBlock,
    DividerBlock,
    ExternalDataMultiSelectElement,
    FeedbackButtonObject,
    FeedbackButtonsElement,
    HeaderBlock,
    IconButtonElement,
    ImageBlock,
    InputBlock,
    MarkdownBlock,
    MarkdownTextObject,
    Option,
    OptionGroup,
    OverflowMenuElement,
    PlainTextInputElement,
    PlainTextObject,
    PlanBlock,
    RichTextBlock,
    RichTextElementParts,
    RichTextListElement,
    RichTextPreformattedElement,
    RichTextQuoteElement,
    RichTextSectionElement,
    SectionBlock,
    StaticMultiSelectElement,
    StaticSelectElement,
    TableBlock,
    TaskCardBlock,
)
from slack_sdk.models.metadata import Metadata
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Channel, FakeSlack, Person
from tests.sandbox.slack.harness import error_of


async def test_post_update_whisper_delete(client: AsyncWebClient, channel: Channel, ana: Person) -> None:
    blocks = [SectionBlock(text="*running*")]
    posted = await client.chat_postMessage(
        channel=channel.id,
        text="running",
        blocks=blocks,
        metadata=Metadata("bits_bot_post", {"key": "1"}),
        unfurl_links=False,
    )
    await client.chat_update(
        channel=channel.id, ts=posted["ts"], text="done", blocks=[HeaderBlock(text="done")], parse="none"
    )
    await client.chat_postEphemeral(channel=channel.id, user=ana.id, text="psst")

    assert ana.reads(channel) == "#alerts\nBits Bot (edited): done\nBits Bot (only visible to you): psst"
    await client.chat_delete(channel=channel.id, ts=posted["ts"])
    assert channel.messages == []


async def test_the_clients_own_paging_reads_a_thread(client: AsyncWebClient, channel: Channel) -> None:
    parent = (await client.chat_postMessage(channel=channel.id, text="parent"))["ts"]
    for number in range(4):
        await client.chat_postMessage(channel=channel.id, text=str(number), thread_ts=parent)

    texts: list[str] = []
    async for page in await client.conversations_replies(
        channel=channel.id, ts=parent, limit=2, include_all_metadata=True
    ):
        texts += [message["text"] for message in page["messages"]]

    assert texts == ["parent", "0", "1", "2", "3"]


async def test_the_rate_limit_handler_waits_and_posts_once(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("slack_sdk.http_retry.builtin_async_handlers.asyncio.sleep", sleep)
    slack.break_next("chat.postMessage", retry_after=3)
    client.retry_handlers = [AsyncRateLimitErrorRetryHandler(max_retry_count=1)]
    await client.chat_postMessage(channel=channel.id, text="x")

    assert len(channel.messages) == 1
    assert 3 <= waited[0] <= 4


async def test_the_default_connection_handler_posts_twice(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel
) -> None:
    """The trap for which the bot posts without that handler."""
    slack.break_next("chat.postMessage", drop="after")
    handler = AsyncConnectionErrorRetryHandler(max_retry_count=1)
    handler.interval_calculator.calculate_sleep_duration = lambda current_attempt: 0.0 * current_attempt  # type: ignore[method-assign]
    client.retry_handlers = [handler]

    await client.chat_postMessage(channel=channel.id, text="x")

    assert len(channel.messages) == 2


def text(count: int) -> str:
    return "x" * count


def options(count: int) -> list[Option]:
    return [Option(text=f"option {number}", value=str(number)) for number in range(count)]


def feedback() -> FeedbackButtonsElement:
    return FeedbackButtonsElement(
        action_id="rate",
        positive_button=FeedbackButtonObject(text="Good", value="up"),
        negative_button=FeedbackButtonObject(text="Bad", value="down"),
    )


def rich() -> RichTextBlock:
    line = RichTextSectionElement(
        elements=[
            RichTextElementParts.Text(text="x", style={"bold": True}),
            RichTextElementParts.Link(url="https://x.y", text="link"),
            RichTextElementParts.User(user_id="U1"),
            RichTextElementParts.Emoji(name="eyes"),
        ]
    )
    return RichTextBlock(
        elements=[
            line,
            RichTextListElement(style="bullet", indent=0, elements=[line]),
            RichTextQuoteElement(elements=[RichTextElementParts.Text(text="q")]),
            RichTextPreformattedElement(elements=[RichTextElementParts.Text(text="code")]),
        ]
    )


MESSAGE_MODELS: dict[str, Callable[[], Block]] = {
    "section": lambda: SectionBlock(
        text=text(3000),
        fields=[MarkdownTextObject(text=text(2000))],
        accessory=ButtonElement(text="Go", action_id="go"),
    ),
    "header": lambda: HeaderBlock(text=text(150)),
    "context": lambda: ContextBlock(elements=[MarkdownTextObject(text="x")] * 10),
    "divider": DividerBlock,
    "image": lambda: ImageBlock(image_url="https://x.y/z.png", alt_text="alt", title="title"),
    "actions": lambda: ActionsBlock(
        elements=[
            ButtonElement(
                text=text(75),
                action_id="go",
                value=text(2000),
                style="danger",
                confirm=ConfirmObject(title=text(100), text=text(300), confirm=text(30), deny=text(30)),
            ),
            StaticSelectElement(placeholder=text(150), action_id="pick", options=options(100)),
            OverflowMenuElement(action_id="more", options=options(5)),
        ]
    ),
    "groups": lambda: ActionsBlock(
        elements=[
            StaticSelectElement(
                placeholder="x", action_id="pick", option_groups=[OptionGroup(label="g", options=options(100))]
            )
        ]
    ),
    "input": lambda: InputBlock(label=text(2000), element=PlainTextInputElement(action_id="words", max_length=3000)),
    "100 of 100": lambda: InputBlock(
        label="Insights",
        element=StaticMultiSelectElement(
            placeholder="x",
            action_id="pick",
            options=options(100),
            initial_options=options(100),
            max_selected_items=100,
        ),
    ),
    "external": lambda: InputBlock(
        label="x", element=ExternalDataMultiSelectElement(placeholder="x", action_id="find", min_query_length=1)
    ),
    "checkboxes": lambda: InputBlock(label="x", element=CheckboxesElement(action_id="boxes", options=options(10))),
    "rich text": rich,
    "markdown": lambda: MarkdownBlock(text=text(12_000)),
    "table": lambda: TableBlock(
        rows=[[{"type": "raw_text", "text": "x"}] * 20] * 100, column_settings=[{"align": "right"}]
    ),
    "card": lambda: CardBlock(title=text(150), body=text(200), actions=[ButtonElement(text="Go", action_id="go")]),
    "carousel": lambda: CarouselBlock(elements=[CardBlock(title="x")] * 10),
    "container": lambda: ContainerBlock(
        title="x", child_blocks=[DividerBlock()] * 10, is_collapsible=True, default_collapsed=True, width="wide"
    ),
    "context actions": lambda: ContextActionsBlock(
        elements=[feedback(), IconButtonElement(icon="trash", text="Delete", action_id="delete")]
    ),
    "task card": lambda: TaskCardBlock(task_id="1", title="x", status="complete", details=rich()),
    "plan": lambda: PlanBlock(title="x", tasks=[TaskCardBlock(task_id="1", title="x", status="in_progress")]),
}


async def test_the_models_of_slack_sdk_are_taken_at_their_limits(client: AsyncWebClient, channel: Channel) -> None:
    for name, model in MESSAGE_MODELS.items():
        block = model()
        await client.chat_postMessage(channel=channel.id, text="fallback", blocks=[block])

        assert channel.messages[-1].blocks[0]["type"] == block.type, name
        assert channel.messages[-1].shown, name


OVER: dict[str, Callable[[], Block]] = {
    "section": lambda: SectionBlock(text=text(3001)),
    "section fields": lambda: SectionBlock(fields=[MarkdownTextObject(text="x")] * 11),
    "header": lambda: HeaderBlock(text=text(151)),
    "context": lambda: ContextBlock(elements=[MarkdownTextObject(text="x")] * 11),
    "actions": lambda: ActionsBlock(elements=[ButtonElement(text="x", action_id=str(n)) for n in range(26)]),
    "button": lambda: ActionsBlock(elements=[ButtonElement(text=text(76), action_id="go")]),
    "select": lambda: ActionsBlock(
        elements=[StaticSelectElement(placeholder="x", action_id="pick", options=options(101))]
    ),
    "input": lambda: InputBlock(label=text(2001), element=PlainTextInputElement(action_id="words")),
    "container": lambda: ContainerBlock(title=text(151), child_blocks=[DividerBlock()]),
    "card": lambda: CardBlock(body=text(201)),
    "markdown": lambda: MarkdownBlock(text=text(12_001)),
}


async def test_what_the_models_refuse_is_refused_here_too(
    client: AsyncWebClient, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, model in OVER.items():
        with pytest.raises(SlackObjectFormationError):
            model().to_dict()
        with monkeypatch.context() as patch:
            patch.setattr("slack_sdk.models.basic_objects.JsonObject.validate_json", lambda _self: None)
            unchecked = model().to_dict()

        posting = client.chat_postMessage(channel=channel.id, text="x", blocks=[unchecked])
        assert await error_of(posting) == "invalid_blocks", name


async def test_a_view_of_the_models(slack: FakeSlack, client: AsyncWebClient, ana: Person) -> None:
    view = View(
        type="modal",
        title=PlainTextObject(text=text(24)),
        submit=PlainTextObject(text="Send"),
        close=PlainTextObject(text="Close"),
        callback_id="form",
        private_metadata=text(3000),
        blocks=[
            AlertBlock(text=PlainTextObject(text=text(200)), level="warning"),
            InputBlock(label="Title", element=PlainTextInputElement(action_id="words", initial_value="Disk")),
        ],
    )
    trigger_id = slack.triggers.issue(ana.id, slack.workspace.id)
    opened = await client.views_open(trigger_id=trigger_id, view=view)
    home = View(type="home", blocks=[SectionBlock(text="home")])
    await client.views_publish(user_id=ana.id, view=home)

    assert (await ana.waits_for_modal()).fields == {"Title": "Disk"}
    assert View(**opened["view"]).to_dict()["callback_id"] == "form"
    assert ana.home is not None
    assert ana.home.text == "home"
