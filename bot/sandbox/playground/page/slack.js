// Slack's window: sidebar, messages, thread, Home and windows, drawn from the store; what a person does goes back to it.

import { h, patch } from "/page/dom.js";
import { avatar, renderMessage } from "/page/blocks.js";
import { composer } from "/page/composer.js";
import { tellTyped } from "/page/elements.js";
import { REACTIONS, emoji } from "/page/emoji.js";
import { home, openHome } from "/page/home.js";
import { icon } from "/page/icons.js";
import { modalLayer } from "/page/modal.js";
import { dateWords } from "/page/mrkdwn.js";
import { closeOrphan, openMenu } from "/page/popover.js";
import { go, onRoute, route } from "/page/route.js";
import { toast } from "/page/toast.js";

const SECTIONS = ["app", "people", "me", "names", "channels", "messages", "modals", "home", "notices"];
const TOGETHER_SECONDS = 300; // messages of one author this close stand under one name

export function mount(element, store) {
  element.dataset.popovers = "true";
  const slack = new SlackWindow(element, store);
  store.subscribe(SECTIONS, () => slack.changed());
  onRoute(() => slack.moved());
  if (route.now.place === "none") go({ place: "channel", channel: slack.firstChannel()?.id });
  slack.changed();
}

class SlackWindow {
  constructor(element, store) {
    Object.assign(this, {
      element,
      store,
      banner: null,
      question: null,
      busy: null,
      failed: null,
      seen: new Map(),
      told: null,
      asked: "",
    });
    this.pending = new Set();
    this.layer = modalLayer(this);
    element.addEventListener("keydown", (event) => this.keyPressed(event));
  }

  get state() {
    return this.store.state;
  }

  // -- where one is ------------------------------------------------------------------------------------------------

  firstChannel() {
    return this.state.channels.find((one) => one.is_member && one.kind === "public") ?? this.state.channels[0];
  }

  place() {
    const now = route.now;
    if (now.place === "home") return { place: "home" };
    const channel = this.state.channels.find((one) => one.id === now.channel) ?? this.firstChannel();
    return {
      place: "channel",
      channel,
      thread: now.place === "channel" ? now.thread : null,
      list: now.place === "none",
    };
  }

  appChannel() {
    return this.state.channels.find((one) => one.kind === "im" && one.app_is_member);
  }

  moved() {
    this.banner = null;
    this.changed();
  }

  changed() {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.draw();
    });
  }

  draw() {
    const place = this.place();
    this.showNotices();
    this.read(place);
    const scrolls = [...this.element.querySelectorAll("[data-stick]")].map((list) => [
      list.dataset.stick,
      list.scrollHeight - list.scrollTop - list.clientHeight < 60,
    ]);
    const before = new Map(scrolls);
    const level = place.place === "home" ? "channel" : place.list ? "sidebar" : place.thread ? "thread" : "channel";
    const covered = this.state.modals.length > 0 || this.question !== null;
    patch(
      this.element,
      h(
        "div",
        { class: `slack level-${level}${place.thread ? " has-thread" : ""}`, inert: covered, key: "slack" },
        this.sidebar(place),
        place.place === "home" ? home(this) : this.channelPane(place),
        place.thread ? this.threadPane(place) : null,
      ),
      this.layer.draw(),
    );
    for (const list of this.element.querySelectorAll("[data-stick]"))
      if (before.get(list.dataset.stick) ?? true) list.scrollTop = list.scrollHeight;
    this.layer.settle();
    closeOrphan();
    if (this.intoThread && place.thread) {
      this.intoThread = false;
      this.element.querySelector(".thread .composer-field")?.focus({ preventScroll: true });
    }
    if (place.place === "home") openHome(this);
    else this.homeAsked = null;
  }

  // -- gestures ----------------------------------------------------------------------------------------------------

  async act(kind, args) {
    try {
      return await this.store.act(kind, args);
    } catch (error) {
      this.complain(error.message);
      return null;
    }
  }

  complain(words) {
    if (this.state.modals.length) this.failed = { view: this.state.modals.at(-1).id, words };
    else this.banner = words;
    this.changed();
  }

  confirm(confirm) {
    return new Promise((resolve) => {
      this.question = {
        confirm,
        answer: (yes) => {
          this.question = null;
          this.changed();
          resolve(yes);
        },
      };
      this.changed();
    });
  }

  /** What the renderer tells of a surface: {message: {channel, ts}} or {view: id}. */
  gestures(surface) {
    const where = surface.message ? { surface, ...surface.message } : { surface };
    return {
      onAction: (payload) => this.interacted(where, payload),
      onFill: (payload) => this.fill(surface, payload),
      onSearch: (payload) => this.store.act("search", { ...where, ...payload }),
      onConfirm: (confirm) => this.confirm(confirm),
      onLink: (url) => this.follow(url),
      onChannel: (channel) => go({ place: "channel", channel }),
    };
  }

  async interacted(where, { block_id, action_id, element_type, value }) {
    this.banner = null;
    if (where.surface.view) await this.allTold(); // what was typed is there before what is pressed
    const isButton = ["button", "workflow_button", "icon_button", "feedback_buttons"].includes(element_type);
    if (isButton) return this.act("click", { ...where, block_id, action_id, ...value });
    return this.act("choose", { ...where, block_id, action_id, element_type, value });
  }

  fill(surface, { block_id, action_id, value }) {
    if (!surface.view) return null;
    const sent = this.act("fill", { view: surface.view, values: { [block_id]: { [action_id]: value } } });
    this.pending.add(sent);
    return sent.finally(() => this.pending.delete(sent));
  }

  async allTold() {
    tellTyped();
    await Promise.allSettled([...this.pending]);
  }

  follow(url) {
    document.dispatchEvent(new CustomEvent("follow-link", { detail: url }));
    this.act("follow_link", { url });
    const hash = this.channelOf(url);
    if (hash) {
      go(hash);
      return;
    }
    toast(url, { title: "This link leads out of Slack" });
  }

  /** Links to a message of this Slack lead there. */
  channelOf(url) {
    for (const [channel, messages] of Object.entries(this.state.messages)) {
      const message = messages.find((one) => one.permalink === url);
      if (message) return { place: "channel", channel, thread: message.thread_ts ?? null };
    }
    return null;
  }

  keyPressed(event) {
    if (this.layer.keyPressed(event)) return;
    if (event.target.closest?.("[role=toolbar]")) {
      walk(event);
      return;
    }
    const article = event.target.closest?.("article");
    if (!article || event.target !== article) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const all = [...article.closest("[data-stick]").querySelectorAll("article")];
      all[all.indexOf(article) + step]?.focus();
    } else if (event.key === "Enter" || event.key === "t") {
      event.preventDefault();
      this.openThread(article.dataset.channel, article.dataset.ts);
    }
  }

  openThread(channel, ts) {
    const message = this.state.messages[channel]?.find((one) => one.ts === ts);
    if (!message || message.only_me) return;
    this.intoThread = matchMedia("(hover: hover)").matches; // a phone would push up its keyboard
    go({ place: "channel", channel, thread: message.thread_ts ?? message.ts });
    this.changed();
  }

  // -- notifications, what was read --------------------------------------------------------------------------------

  showNotices() {
    const me = this.state.me.id;
    const known = this.told?.me === me ? this.told.ids : null;
    const fresh = known ? this.state.notices.filter((one) => !known.has(one.id)) : [];
    this.told = { me, ids: new Set(this.state.notices.map((one) => one.id)) };
    for (const notice of fresh.slice(0, 3).reverse()) {
      toast(notice.text, {
        kind: "notice",
        title: notice.title,
        onclick: () =>
          go({ pane: "slack", place: "channel", channel: notice.channel, thread: notice.thread_ts ?? null }),
      });
    }
  }

  read(place) {
    if (place.place !== "channel" || !place.channel) return;
    this.seen.set(`${this.state.me.id}/${place.channel.id}`, this.newest(place.channel.id));
  }

  newest(channel) {
    return (
      (this.state.messages[channel] ?? [])
        .filter((one) => !one.thread_ts || one.thread_ts === one.ts || one.broadcast)
        .at(-1)?.ts ?? "0"
    );
  }

  unread(channel) {
    const key = `${this.state.me.id}/${channel.id}`;
    if (!this.seen.has(key)) this.seen.set(key, this.newest(channel.id));
    return Number(this.newest(channel.id)) > Number(this.seen.get(key));
  }

  // -- sidebar -----------------------------------------------------------------------------------------------------

  sidebar(place) {
    const { channels, app, me } = this.state;
    const rooms = channels.filter((one) => one.kind === "public" || one.kind === "private");
    const directs = channels.filter((one) => (one.kind === "im" || one.kind === "mpim") && !one.app_is_member);
    const atHome = place.place === "home" || place.channel?.id === this.appChannel()?.id;
    return h(
      "nav",
      { class: "sidebar", key: "sidebar", "aria-label": "Channels" },
      h(
        "div",
        { class: "workspace" },
        h("span", { class: "workspace-name" }, this.state.workspace?.name ?? "Acme Shop"),
        this.shortcutButton(),
      ),
      h(
        "div",
        { class: "sidebar-scroll" },
        this.group(
          "Channels",
          rooms.map((one) => this.channelLink(one, place)),
        ),
        this.group("Direct messages", [
          h(
            "span",
            { class: "side-item is-me", key: "me" },
            avatar({ name: me.real_name }, "is-tiny"),
            h("span", { class: "side-name" }, me.real_name || me.name),
            h("span", { class: "side-note" }, "you"),
          ),
          ...directs.map((one) => this.channelLink(one, place)),
        ]),
        this.group("Apps", [
          h(
            "a",
            {
              class: `side-item${atHome ? " is-here" : ""}${this.appChannel() && this.unread(this.appChannel()) ? " is-unread" : ""}`,
              href: "#/home",
              "data-app": app.app_id,
              "aria-current": atHome ? "page" : null,
            },
            avatar({ name: app.name, app: true }, "is-tiny"),
            h("span", { class: "side-name" }, app.name),
          ),
        ]),
      ),
    );
  }

  group(title, items) {
    return (
      items.length > 0 &&
      h(
        "div",
        { class: "side-group", key: title, role: "group", "aria-label": title },
        h("div", { class: "side-heading", "aria-hidden": "true" }, title),
        items,
      )
    );
  }

  channelLink(channel, place) {
    const here = place.place === "channel" && place.channel?.id === channel.id;
    const sign =
      channel.kind === "public"
        ? h("span", { class: "side-sign", "aria-hidden": "true" }, "#")
        : channel.kind === "private"
          ? icon("lock")
          : avatar({ name: channel.name }, "is-tiny");
    const unread = !here && this.unread(channel);
    return h(
      "a",
      {
        key: channel.id,
        class: `side-item${here ? " is-here" : ""}${unread ? " is-unread" : ""}${channel.is_member ? "" : " is-stranger"}`,
        href: `#/c/${channel.id}`,
        "data-channel": channel.id,
        "aria-current": here ? "page" : null,
        "aria-label": `${channel.kind === "private" ? "private channel " : channel.kind === "public" ? "channel " : ""}${channel.name}${unread ? ", unread" : ""}`,
      },
      sign,
      h("span", { class: "side-name" }, channel.name),
    );
  }

  shortcutButton() {
    const found = this.state.app.shortcuts.filter((one) => one.type === "global");
    if (!found.length) return null;
    const items = [
      { heading: "Shortcuts" },
      ...found.map((one) => ({
        label: one.name,
        description: one.description,
        run: () => this.act("shortcut", { callback_id: one.callback_id }),
      })),
    ];
    return h(
      "button",
      {
        class: "workspace-button",
        type: "button",
        "aria-label": "Shortcuts",
        title: "Shortcuts",
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        onclick: (event) => openMenu(event.currentTarget, items, { label: "Shortcuts" }),
      },
      icon("bolt"),
    );
  }

  // -- a channel ---------------------------------------------------------------------------------------------------

  channelPane({ channel, thread }) {
    if (!channel)
      return h(
        "div",
        { class: "channel", key: "none" },
        h("p", { class: "empty" }, "There is no channel you can see."),
      );
    const messages = this.state.messages[channel.id] ?? [];
    const top = messages.filter((one) => !one.thread_ts || one.thread_ts === one.ts || one.broadcast);
    return h(
      "div",
      { class: "channel", key: `channel ${channel.id}`, role: "region", "aria-label": this.spoken(channel) },
      this.channelHead(channel),
      h(
        "div",
        {
          class: "messages",
          "data-stick": `channel ${channel.id}`,
          role: "log",
          "aria-label": `Messages in ${this.spoken(channel)}`,
          "aria-relevant": "additions",
        },
        this.intro(channel),
        this.messageList(top, channel, messages),
      ),
      this.bannerLine(!thread),
      this.foot(channel),
    );
  }

  spoken(channel) {
    return channel.kind === "im" || channel.kind === "mpim" ? channel.name : `#${channel.name}`;
  }

  channelHead(channel) {
    const sign = channel.kind === "private" ? icon("lock") : channel.kind === "public" ? "# " : null;
    const isApp = channel.id === this.appChannel()?.id;
    return [
      h(
        "div",
        { class: "pane-head" },
        h("a", { class: "head-back", href: "#/", "aria-label": "All channels" }, icon("back")),
        h("h2", { class: "pane-title" }, isApp ? this.state.app.name : [sign, channel.name]),
        channel.shared && h("span", { class: "tag" }, "shared"),
        channel.archived && h("span", { class: "tag" }, "archived"),
        channel.is_member &&
          !channel.app_is_member &&
          !channel.archived &&
          channel.kind !== "im" &&
          h(
            "button",
            { class: "head-button", type: "button", onclick: () => this.act("invite_app", { channel: channel.id }) },
            `Add ${this.state.app.name}`,
          ),
      ),
      isApp && this.appTabs("messages"),
    ];
  }

  appTabs(here) {
    const messages = this.appChannel();
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
      { class: "app-tabs", "aria-label": this.state.app.name },
      tab("home", "Home", "#/home"),
      messages && tab("messages", "Messages", `#/c/${messages.id}`),
    );
  }

  intro(channel) {
    if (channel.kind === "im") return null;
    return h(
      "div",
      { class: "intro", key: "intro" },
      h("strong", {}, this.spoken(channel)),
      h(
        "span",
        {},
        channel.kind === "private" ? "This channel is private." : "This is the very beginning of the channel.",
      ),
    );
  }

  messageList(shown, channel, all) {
    const out = [];
    let before = null;
    const context = this.messageContext(channel, all, { inThread: false });
    for (const message of shown) {
      const day = this.day(message);
      if (!before || this.day(before) !== day)
        out.push(
          h("div", { class: "day", key: `day ${day}`, role: "separator", "aria-label": day }, h("span", {}, day)),
        );
      out.push(
        renderMessage(message, {
          ...context(message),
          compact: isTogether(before, message) && this.day(before) === day,
        }),
      );
      before = message;
    }
    return out;
  }

  day(message) {
    const words = dateWords(Number(message.ts), "{day_divider_pretty}", {});
    return words.slice(0, 1).toUpperCase() + words.slice(1);
  }

  messageContext(channel, all, { inThread }) {
    const base = {
      names: this.state.names,
      me: this.state.me,
      channels: this.state.channels,
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
      ...this.gestures({ message: { channel: channel.id, ts: message.ts } }),
      prefix: `${inThread ? "t" : ""}${message.ts}:`,
      repliers,
      onThread: (one) => this.openThread(channel.id, one.ts),
      onReact: (one, name) => this.act("react", { channel: channel.id, ts: one.ts, name }),
      toolbar: (one) => this.toolbar(one, channel, inThread),
    });
  }

  toolbar(message, channel, inThread) {
    if (message.only_me || channel.archived) return null;
    const act = (name) => this.act("react", { channel: channel.id, ts: message.ts, name });
    const tool = (label, run, content, more = {}) =>
      h(
        "button",
        { class: "tool", type: "button", "aria-label": label, title: label, tabindex: -1, onclick: run, ...more },
        content,
      );
    return h(
      "div",
      { class: "toolbar", role: "toolbar", "aria-label": "Message actions" },
      REACTIONS.slice(0, 3).map((name) =>
        tool(`React with ${name.replaceAll("_", " ")}`, () => act(name), emoji(name)),
      ),
      !inThread && tool("Reply in thread", () => this.openThread(channel.id, message.ts), icon("reply")),
      tool(
        "More actions",
        (event) => openMenu(event.currentTarget, this.moreActions(message, channel), { label: "More actions" }),
        icon("more"),
        { "aria-haspopup": "menu", "aria-expanded": "false", tabindex: 0 },
      ),
    );
  }

  moreActions(message, channel) {
    const shortcuts = this.state.app.shortcuts.filter((one) => one.type === "message");
    return [
      ...shortcuts.map((one) => ({
        label: one.name,
        description: this.state.app.name,
        run: () => this.act("shortcut", { callback_id: one.callback_id, channel: channel.id, ts: message.ts }),
      })),
      { label: "Copy link", run: () => this.copyLink(message) },
      ...(message.thread_ts && message.thread_ts !== message.ts
        ? []
        : [{ label: "Reply in thread", run: () => this.openThread(channel.id, message.ts) }]),
      ...REACTIONS.map((name) => ({
        label: `${emoji(name)}  React with ${name.replaceAll("_", " ")}`,
        run: () => this.act("react", { channel: channel.id, ts: message.ts, name }),
      })),
    ];
  }

  async copyLink(message) {
    try {
      await navigator.clipboard.writeText(message.permalink);
      toast("Link copied.");
    } catch {
      toast(message.permalink, { title: "The link of this message" });
    }
  }

  bannerLine(here) {
    if (!this.banner || !here) return null;
    return h(
      "div",
      { class: "banner", role: "alert", key: "banner" },
      h("span", {}, h("strong", {}, "Slackbot "), this.banner),
      h(
        "button",
        {
          class: "banner-close",
          type: "button",
          "aria-label": "Dismiss",
          onclick: () => {
            this.banner = null;
            this.changed();
          },
        },
        icon("close"),
      ),
    );
  }

  foot(channel) {
    if (channel.archived) return h("div", { class: "foot-note", key: "foot" }, "This channel is archived.");
    if (channel.id === this.appChannel()?.id)
      return h("div", { class: "foot-note", key: "foot" }, "Sending messages to this app has been turned off.");
    if (!channel.is_member)
      return h(
        "div",
        { class: "foot-note", key: "foot" },
        `You are looking at ${this.spoken(channel)}. `,
        h(
          "button",
          { class: "bk-button is-primary", type: "button", onclick: () => this.act("join", { channel: channel.id }) },
          "Join channel",
        ),
      );
    return composer(this, { channel, key: channel.id, label: `Message ${this.spoken(channel)}` });
  }

  // -- a thread ----------------------------------------------------------------------------------------------------

  threadPane({ channel, thread }) {
    const all = this.state.messages[channel.id] ?? [];
    const root = all.find((one) => one.ts === thread);
    const replies = all.filter((one) => one.thread_ts === thread && one.ts !== thread);
    const count = replies.filter((one) => !one.only_me).length;
    const context = this.messageContext(channel, all, { inThread: true });
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
          { class: "head-back", href: `#/c/${channel.id}`, "aria-label": `Back to ${this.spoken(channel)}` },
          icon("back"),
        ),
        h("h2", { class: "pane-title" }, "Thread"),
        h("span", { class: "pane-sub" }, this.spoken(channel)),
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
      this.bannerLine(true),
      channel.is_member &&
        !channel.archived &&
        channel.id !== this.appChannel()?.id &&
        composer(this, { channel, thread, key: `${channel.id}/${thread}`, label: "Reply…" }),
    );
  }
}

/** Left and right lead through a toolbar. */
function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const tools = [...event.target.closest("[role=toolbar]").querySelectorAll("button")];
  tools[(tools.indexOf(event.target) + step + tools.length) % tools.length]?.focus();
}

function isTogether(before, message) {
  if (!before || before.only_me || message.only_me || message.broadcast || message.author.app || before.author.app)
    return false;
  return before.author.name === message.author.name && Number(message.ts) - Number(before.ts) < TOGETHER_SECONDS;
}
