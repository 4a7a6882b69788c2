// A channel's messages and a thread beside them, with what one can do to each message.

import { h } from "/page/dom.js";
import { renderMessage } from "/page/blocks.js";
import { composer } from "/page/composer.js";
import { REACTIONS, emoji } from "/page/emoji.js";
import { icon } from "/page/icons.js";
import { dateWords } from "/page/mrkdwn.js";
import { openMenu } from "/page/popover.js";
import { toast } from "/page/toast.js";

const TOGETHER_SECONDS = 300; // messages of one person this close stand under one name

export function channelPane(slack, { channel, thread }) {
  if (!channel)
    return h("div", { class: "channel", key: "none" }, h("p", { class: "empty" }, "There is no channel you can see."));
  const messages = slack.state.messages[channel.id] ?? [];
  const top = messages.filter((one) => !one.thread_ts || one.thread_ts === one.ts || one.broadcast);
  return h(
    "div",
    { class: "channel", key: `channel ${channel.id}`, role: "region", "aria-label": spoken(channel) },
    channelHead(slack, channel),
    h(
      "div",
      {
        class: "messages",
        "data-stick": `channel ${channel.id}`,
        role: "log",
        "aria-label": `Messages in ${spoken(channel)}`,
        "aria-relevant": "additions",
      },
      intro(channel),
      messageList(slack, top, channel, messages),
    ),
    bannerLine(slack, !thread),
    foot(slack, channel),
  );
}

function spoken(channel) {
  return channel.kind === "im" || channel.kind === "mpim" ? channel.name : `#${channel.name}`;
}

function channelHead(slack, channel) {
  const sign = channel.kind === "private" ? icon("lock") : channel.kind === "public" ? "# " : null;
  const isApp = channel.id === slack.appChannel()?.id;
  return [
    h(
      "div",
      { class: "pane-head" },
      h("a", { class: "head-back", href: "#/", "aria-label": "All channels" }, icon("back")),
      h("h2", { class: "pane-title" }, isApp ? slack.state.app.name : [sign, channel.name]),
      channel.shared && h("span", { class: "tag" }, "shared"),
      channel.archived && h("span", { class: "tag" }, "archived"),
      channel.is_member &&
        !channel.app_is_member &&
        !channel.archived &&
        channel.kind !== "im" &&
        h(
          "button",
          { class: "head-button", type: "button", onclick: () => slack.act("invite_app", { channel: channel.id }) },
          `Add ${slack.state.app.name}`,
        ),
    ),
    isApp && appTabs(slack, "messages"),
  ];
}

export function appTabs(slack, here) {
  const messages = slack.appChannel();
  const tab = (name, label, hash) =>
    h(
      "a",
      {
        class: `app-tab${here === name ? " is-here" : ""}`,
        href: hash,
        "aria-current": here === name ? "page" : null,
      },
      label,
    );
  return h(
    "nav",
    { class: "app-tabs", "aria-label": slack.state.app.name },
    tab("home", "Home", "#/home"),
    messages && tab("messages", "Messages", `#/c/${messages.id}`),
  );
}

function intro(channel) {
  if (channel.kind === "im") return null;
  return h(
    "div",
    { class: "intro", key: "intro" },
    h("strong", {}, spoken(channel)),
    h(
      "span",
      {},
      channel.kind === "private" ? "This channel is private." : "This is the very beginning of the channel.",
    ),
  );
}

function messageList(slack, shown, channel, all) {
  const out = [];
  let before = null;
  const context = messageContext(slack, channel, all, { inThread: false });
  for (const message of shown) {
    const date = dayOf(message);
    if (!before || dayOf(before) !== date)
      out.push(
        h("div", { class: "day", key: `day ${date}`, role: "separator", "aria-label": date }, h("span", {}, date)),
      );
    out.push(
      renderMessage(message, {
        ...context(message),
        compact: isTogether(before, message) && dayOf(before) === date,
      }),
    );
    before = message;
  }
  return out;
}

function dayOf(message) {
  const words = dateWords(Number(message.ts), "{day_divider_pretty}", {});
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function messageContext(slack, channel, all, { inThread }) {
  const base = {
    names: slack.state.names,
    me: slack.state.me,
    channels: slack.state.channels,
    channel: channel.id,
    inThread,
  };
  const repliers = (root) => {
    const found = new Map(
      all
        .filter((one) => one.thread_ts === root.ts && one.ts !== root.ts && !one.only_me)
        .map((one) => [one.author.name, one.author]),
    );
    return [...found.values()];
  };
  return (message) => ({
    ...base,
    ...slack.gestures({ message: { channel: channel.id, ts: message.ts } }),
    prefix: `${inThread ? "t" : ""}${message.ts}:`,
    repliers,
    onThread: (one) => slack.openThread(channel.id, one.ts),
    onReact: (one, name) => slack.act("react", { channel: channel.id, ts: one.ts, name }),
    toolbar: (one) => toolbar(slack, one, channel, inThread),
  });
}

function toolbar(slack, message, channel, inThread) {
  if (message.only_me || channel.archived) return null;
  const act = (name) => slack.act("react", { channel: channel.id, ts: message.ts, name });
  const tool = (label, run, content, more = {}) =>
    h(
      "button",
      { class: "tool", type: "button", "aria-label": label, title: label, tabindex: -1, onclick: run, ...more },
      content,
    );
  return h(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": "Message actions" },
    REACTIONS.slice(0, 3).map((name) => tool(`React with ${name.replaceAll("_", " ")}`, () => act(name), emoji(name))),
    !inThread && tool("Reply in thread", () => slack.openThread(channel.id, message.ts), icon("reply")),
    tool(
      "More actions",
      (event) => openMenu(event.currentTarget, moreActions(slack, message, channel), { label: "More actions" }),
      icon("more"),
      { "aria-haspopup": "menu", "aria-expanded": "false", tabindex: 0 },
    ),
  );
}

function moreActions(slack, message, channel) {
  const shortcuts = slack.state.app.shortcuts.filter((one) => one.type === "message");
  return [
    ...shortcuts.map((one) => ({
      label: one.name,
      description: slack.state.app.name,
      run: () => slack.act("shortcut", { callback_id: one.callback_id, channel: channel.id, ts: message.ts }),
    })),
    { label: "Copy link", run: () => copyLink(message) },
    ...(message.thread_ts && message.thread_ts !== message.ts
      ? []
      : [{ label: "Reply in thread", run: () => slack.openThread(channel.id, message.ts) }]),
    ...REACTIONS.map((name) => ({
      label: `${emoji(name)}  React with ${name.replaceAll("_", " ")}`,
      run: () => slack.act("react", { channel: channel.id, ts: message.ts, name }),
    })),
  ];
}

async function copyLink(message) {
  try {
    await navigator.clipboard.writeText(message.permalink);
    toast("Link copied.");
  } catch {
    toast(message.permalink, { title: "The link of this message" });
  }
}

export function bannerLine(slack, here) {
  if (!slack.banner || !here) return null;
  return h(
    "div",
    { class: "banner", role: "alert", key: "banner" },
    h("span", {}, h("strong", {}, "Slackbot "), slack.banner),
    h(
      "button",
      {
        class: "banner-close",
        type: "button",
        "aria-label": "Dismiss",
        onclick: () => {
          slack.banner = null;
          slack.changed();
        },
      },
      icon("close"),
    ),
  );
}

function foot(slack, channel) {
  if (channel.archived) return h("div", { class: "foot-note", key: "foot" }, "This channel is archived.");
  if (channel.id === slack.appChannel()?.id)
    return h("div", { class: "foot-note", key: "foot" }, "Sending messages to this app has been turned off.");
  if (!channel.is_member)
    return h(
      "div",
      { class: "foot-note", key: "foot" },
      `You are looking at ${spoken(channel)}. `,
      h(
        "button",
        { class: "bk-button is-primary", type: "button", onclick: () => slack.act("join", { channel: channel.id }) },
        "Join channel",
      ),
    );
  return composer(slack, { channel, key: channel.id, label: `Message ${spoken(channel)}` });
}

// -- a thread ----------------------------------------------------------------------------------------------------

export function threadPane(slack, { channel, thread }) {
  const all = slack.state.messages[channel.id] ?? [];
  const root = all.find((one) => one.ts === thread);
  const replies = all.filter((one) => one.thread_ts === thread && one.ts !== thread);
  const count = replies.filter((one) => !one.only_me).length;
  const context = messageContext(slack, channel, all, { inThread: true });
  const line = (message, at) =>
    renderMessage(message, { ...context(message), compact: at > 0 && isTogether(replies[at - 1], message) });
  return h(
    "aside",
    { class: "thread", key: `thread ${thread}`, "data-thread": thread, "aria-label": "Thread" },
    h(
      "div",
      { class: "pane-head" },
      h(
        "a",
        { class: "head-back", href: `#/c/${channel.id}`, "aria-label": `Back to ${spoken(channel)}` },
        icon("back"),
      ),
      h("h2", { class: "pane-title" }, "Thread"),
      h("span", { class: "pane-sub" }, spoken(channel)),
      h("a", { class: "head-close", href: `#/c/${channel.id}`, "aria-label": "Close thread" }, icon("close")),
    ),
    h(
      "div",
      {
        class: "messages",
        "data-stick": `thread ${thread}`,
        role: "log",
        "aria-label": "Thread",
        "aria-relevant": "additions",
      },
      root ? renderMessage(root, context(root)) : h("p", { class: "empty", key: "gone" }, "This message is gone."),
      count > 0 &&
        h(
          "div",
          { class: "replies-line", key: "count" },
          h("span", {}, `${count} ${count === 1 ? "reply" : "replies"}`),
        ),
      replies.map(line),
    ),
    bannerLine(slack, true),
    channel.is_member &&
      !channel.archived &&
      channel.id !== slack.appChannel()?.id &&
      composer(slack, { channel, thread, key: `${channel.id}/${thread}`, label: "Reply…" }),
  );
}

function isTogether(before, message) {
  if (!before || before.only_me || message.only_me || message.broadcast || message.author.app || before.author.app)
    return false;
  return before.author.name === message.author.name && Number(message.ts) - Number(before.ts) < TOGETHER_SECONDS;
}
