// Where one types: messages, mentions with completion, slash commands with their hints.

import { h } from "/page/dom.js";
import { icon } from "/page/icons.js";

const drafts = new Map(); // by person and channel or thread: {text, at, closed}
const MOST = 7;

/** What was typed and not sent outlives a reload. */
function draftOf(key) {
  if (!drafts.has(key)) drafts.set(key, { text: sessionStorage.getItem(`draft ${key}`) ?? "", at: 0, caret: 0 });
  return drafts.get(key);
}

export function composer(slack, { channel, thread = null, key: place, label }) {
  const key = `${slack.state.me.id}/${place}`;
  const draft = draftOf(key);
  const keep = (changes) => {
    Object.assign(draft, changes);
    sessionStorage.setItem(`draft ${key}`, draft.text);
  };
  const id = `composer-${key.replace(/[^\w]/g, "-")}`;
  const { items, hint } = draft.focused && !draft.closed ? suggestions(slack, draft) : { items: [], hint: null };
  draft.at = Math.min(draft.at, Math.max(0, items.length - 1));
  const field = () => slack.element.querySelector(`#${id}`);

  function typed(event) {
    keep({ text: event.target.value, caret: event.target.selectionStart, closed: false, at: 0 });
    grow(event.target);
    slack.changed();
  }

  function put(item) {
    const rest = draft.text.slice(draft.caret);
    const text = draft.text.slice(0, item.from) + item.insert + rest;
    const caret = item.from + item.insert.length;
    keep({ text, caret, at: 0, closed: item.closes ?? false });
    const node = field();
    node.value = text;
    node.focus();
    node.setSelectionRange(caret, caret);
    grow(node);
    slack.changed();
  }

  async function send() {
    const text = draft.text.trim();
    if (!text) return;
    const node = field();
    slack.banner = null;
    keep({ text: "", caret: 0, closed: true });
    node.value = "";
    grow(node);
    slack.changed();
    const sent = await slack.act("say", { channel: channel.id, text, ...(thread ? { thread_ts: thread } : {}) });
    if (sent === null && !draft.text) {
      keep({ text });
      node.value = text;
      grow(node);
    }
  }

  function keyPressed(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (items.length && step) {
      event.preventDefault();
      draft.at = (draft.at + step + items.length) % items.length;
      slack.changed();
    } else if (items.length && event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      draft.closed = true;
      slack.changed();
    } else if (
      items.length &&
      (event.key === "Tab" || (event.key === "Enter" && items[draft.at].eager)) &&
      !event.shiftKey
    ) {
      event.preventDefault();
      put(items[draft.at]);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    }
  }

  const watch = (focused) => () => {
    draft.focused = focused;
    slack.changed();
  };
  const caretMoved = (event) => {
    draft.caret = event.target.selectionStart;
  };
  return h(
    "div",
    { class: "composer", key: `composer ${key}` },
    suggestionList(id, items, hint, draft, put),
    h(
      "div",
      { class: "composer-box" },
      h("textarea", {
        id,
        class: "composer-field",
        rows: 1,
        placeholder: label,
        "aria-label": label,
        value: draft.text,
        autocomplete: "off",
        "aria-autocomplete": "list",
        "aria-controls": `${id}-list`,
        "aria-activedescendant": items.length ? `${id}-${draft.at}` : null,
        oninput: typed,
        onkeydown: keyPressed,
        onkeyup: caretMoved,
        onclick: caretMoved,
        onfocus: watch(true),
        onblur: watch(false),
        created: (node) => queueMicrotask(() => grow(node)),
      }),
      h(
        "div",
        { class: "composer-foot" },
        h("span", { class: "composer-hint" }, "/ for commands, @ for people"),
        h(
          "button",
          {
            class: `composer-send${draft.text.trim() ? " is-ready" : ""}`,
            type: "button",
            "aria-label": "Send",
            onclick: send,
          },
          icon("send"),
        ),
      ),
    ),
  );
}

function grow(node) {
  node.style.height = "auto";
  if (node.scrollHeight > 0) node.style.height = `${Math.min(node.scrollHeight, 160)}px`;
}

function suggestionList(id, items, hint, draft, put) {
  const lines = items.map((item, at) =>
    h(
      "div",
      {
        key: item.label,
        id: `${id}-${at}`,
        role: "option",
        class: `suggestion${at === draft.at ? " is-at" : ""}`,
        "aria-selected": String(at === draft.at),
        onpointerdown: (event) => {
          event.preventDefault();
          put(item);
        },
      },
      h("span", { class: "suggestion-label" }, item.label),
      item.description && h("span", { class: "suggestion-more" }, item.description),
    ),
  );
  return h(
    "div",
    { class: `suggestions${items.length || hint ? "" : " is-empty"}` },
    hint && h("div", { class: "suggestion-hint", key: "hint" }, hint),
    h("div", { key: "list", id: `${id}-list`, role: "listbox", "aria-label": "Suggestions" }, lines),
  );
}

// -- what fits what was typed --------------------------------------------------------------------------------------

function suggestions(slack, { text, caret }) {
  const before = text.slice(0, caret);
  const slash = /^\/(\S*)$/.exec(before);
  if (slash) return { items: commands(slack, slash[0]) };
  const inCommand = /^(\/\S+)\s+(.*)$/s.exec(before);
  if (inCommand) {
    const command = slack.state.app.commands.find((one) => one.command === inCommand[1]);
    const verbs = command && !inCommand[2].includes(" ") ? words(command, inCommand[2], before) : [];
    if (verbs.length) return { items: verbs, hint: `${command.command} …` };
    if (command) return { items: names(slack, before), hint: usage(command, inCommand[2]) };
  }
  return { items: names(slack, before) };
}

function commands(slack, typed) {
  return slack.state.app.commands
    .filter((one) => one.command.startsWith(typed))
    .map((one) => ({
      label: one.command,
      description: one.description,
      from: 0,
      insert: `${one.command} `,
      eager: true,
    }));
}

const usages = (command) =>
  command.usage_hint
    .split("|")
    .map((part) => part.trim())
    .filter(Boolean);
const verbOf = (usage) => usage.split(/[ <[]/)[0];

function words(command, typed, before) {
  const from = before.length - typed.length;
  return usages(command)
    .filter((usage) => verbOf(usage).startsWith(typed.toLowerCase()) && verbOf(usage) !== typed)
    .map((usage) => ({
      label: usage,
      from,
      insert: `${verbOf(usage)}${usage.includes(" ") ? " " : ""}`,
      eager: typed.length > 0,
    }));
}

function usage(command, typed) {
  const verb = typed.split(" ")[0];
  const found = usages(command).find((one) => verbOf(one) === verb);
  return found ? `${command.command} ${found}` : null;
}

function names(slack, before) {
  const found = /(?:^|[\s(])([@#])([\p{L}\p{N}._ -]{0,20})$/u.exec(before);
  if (!found) return [];
  const [, sign, typed] = found;
  const from = before.length - typed.length - 1;
  const wanted = typed.toLowerCase();
  const known =
    sign === "#"
      ? slack.state.channels
          .filter((one) => one.kind !== "im" && one.kind !== "mpim")
          .map((one) => ({ name: one.name, more: "" }))
      : people(slack);
  return known
    .filter(
      (one) =>
        `${one.name} ${one.more}`
          .toLowerCase()
          .split(/\s/)
          .some((word) => word.startsWith(wanted)) || one.name.toLowerCase().startsWith(wanted),
    )
    .slice(0, MOST)
    .filter((one) => one.name.toLowerCase() !== wanted)
    .map((one) => ({
      label: `${sign}${one.name}`,
      description: one.more,
      from,
      insert: `${sign}${one.name} `,
      eager: true,
      closes: true,
    }));
}

function people(slack) {
  const { app, people: all } = slack.state;
  return [
    { name: app.name, more: "App" },
    ...all.map((one) => ({ name: one.name, more: one.real_name === one.name ? "" : one.real_name })),
    { name: "here", more: "Everyone who is active" },
    { name: "channel", more: "Everyone in this channel" },
  ];
}
