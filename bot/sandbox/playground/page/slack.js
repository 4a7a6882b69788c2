// Slack's window: sidebar, messages, thread, Home and windows, drawn from the store; what a person does goes back to it.

import { h, patch } from "/page/dom.js";
import { channelPane, threadPane } from "/page/channel.js";
import { tellTyped } from "/page/elements.js";
import { home, openHome } from "/page/home.js";
import { modalLayer } from "/page/modal.js";
import { closeOrphan } from "/page/popover.js";
import { go, onRoute, route } from "/page/route.js";
import { sidebar } from "/page/sidebar.js";
import { toast } from "/page/toast.js";

const SECTIONS = ["app", "people", "me", "names", "channels", "messages", "modals", "home", "notices"];

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
        sidebar(this, place),
        place.place === "home" ? home(this) : channelPane(this, place),
        place.thread ? threadPane(this, place) : null,
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
}

/** Left and right lead through a toolbar. */
function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const tools = [...event.target.closest("[role=toolbar]").querySelectorAll("button")];
  tools[(tools.indexOf(event.target) + step + tools.length) % tools.length]?.focus();
}
