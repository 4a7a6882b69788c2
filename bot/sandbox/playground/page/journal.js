// "What just happened": every call between Slack, the bot and Datadog, under the gesture that brought it about.

import { h, patch } from "/page/dom.js";
import { clock, copyText, remember, remembered } from "/page/parts.js";

const KEPT = "playground:journal";
const SIDES = [
  { id: "all", name: "All" },
  { id: "slack", name: "Slack" },
  { id: "datadog", name: "Datadog" },
];
const NAMES = { slack: "Slack", bot: "Bot", datadog: "Datadog" };
const BY_ITSELF = "By itself";
const SHOWN_CHARACTERS = 20_000;

export function mount(element, store) {
  const ui = remembered(KEPT, { side: "all", failed: false, words: "" });
  const view = { paused: null, opened: new Set(), copied: null };

  const keep = (changes) => {
    Object.assign(ui, changes);
    remember(KEPT, ui);
    draw();
  };
  const pause = () => {
    view.paused = view.paused ? null : [...store.state.journal];
    draw();
  };
  const toggle = (n, open) => {
    open ? view.opened.add(n) : view.opened.delete(n);
    draw();
  };
  const copy = async (key, json) => {
    await copyText(pretty(json));
    view.copied = key;
    draw();
  };

  const draw = () => {
    const all = store.state.journal ?? [];
    const entries = (view.paused ?? all).filter((entry) => fits(entry, ui));
    const missed = view.paused ? all.filter((entry) => entry.n > (view.paused.at(-1)?.n ?? -1)).length : 0;
    patch(
      element,
      h("h2", { class: "visually-hidden", key: "title" }, "What just happened"),
      toolbar({ ui, keep, pause, paused: Boolean(view.paused), missed }),
      entries.length
        ? h(
            "ol",
            { class: "gestures", key: "list" },
            groups(entries).map((group) => gesture(group, { view, toggle, copy })),
          )
        : h(
            "p",
            { class: "empty", key: "none" },
            all.length ? "No call fits what you asked for." : "No call yet: fire an alert, or press a button in Slack.",
          ),
    );
  };

  element.classList.add("journal");
  store.subscribe(["journal"], draw);
  draw();
}

function fits(entry, { side, failed, words }) {
  if (side !== "all" && entry.from !== side && entry.to !== side) return false;
  if (failed && !hasFailed(entry)) return false;
  return !words || `${entry.what} ${entry.why ?? ""} ${entry.status ?? ""}`.toLowerCase().includes(words.toLowerCase());
}

const hasFailed = (entry) => entry.ok === false;

// -- in groups --------------------------------------------------------------------------------------------------------

/** Newest gesture first; within it the calls as they came, and one line for the same call made again and again. */
export function groups(entries) {
  const found = [];
  const named = new Map();
  for (const entry of entries) {
    const name = entry.gesture ?? entry.why ?? "";
    let group = entry.gesture === undefined || entry.gesture === null ? found.at(-1) : named.get(name);
    if (group?.name !== name) {
      group = { name, why: entry.why || BY_ITSELF, at: entry.at, first: entry.n, lines: [] };
      named.set(name, group);
      found.push(group);
    }
    add(group.lines, entry);
  }
  return found.reverse();
}

function add(lines, entry) {
  const last = lines.at(-1);
  if (last && alike(last.entry, entry)) {
    last.times += 1;
    last.entry = entry;
  } else lines.push({ first: entry.n, times: 1, entry });
}

const alike = (one, other) => ["from", "to", "what", "status"].every((name) => one[name] === other[name]);

// -- how it looks -----------------------------------------------------------------------------------------------------

function toolbar({ ui, keep, pause, paused, missed }) {
  const side = ({ id, name }) =>
    h(
      "button",
      {
        type: "button",
        class: "chip-button",
        key: id,
        "aria-pressed": String(ui.side === id),
        onclick: () => keep({ side: id }),
      },
      name,
    );
  return h(
    "div",
    { class: "journal-tools", key: "tools" },
    h("div", { class: "row", role: "group", "aria-label": "Whose calls" }, SIDES.map(side)),
    h(
      "button",
      {
        type: "button",
        class: "chip-button",
        "aria-pressed": String(ui.failed),
        onclick: () => keep({ failed: !ui.failed }),
      },
      "Failed",
    ),
    h("input", {
      type: "search",
      placeholder: "Filter",
      "aria-label": "Filter the calls",
      value: ui.words,
      oninput: (event) => keep({ words: event.target.value }),
    }),
    h(
      "button",
      { type: "button", class: "chip-button", "aria-pressed": String(paused), onclick: pause },
      paused ? (missed ? `Go on (${missed} new)` : "Go on") : "Pause",
    ),
  );
}

function gesture(group, shared) {
  const failed = group.lines.filter((line) => hasFailed(line.entry)).length;
  const calls = group.lines.reduce((sum, line) => sum + line.times, 0);
  return h(
    "li",
    { class: "gesture", key: group.first },
    h(
      "div",
      { class: "gesture-head" },
      h("h3", {}, group.why),
      h(
        "span",
        { class: "facts" },
        `${clock(group.at)} · ${calls} ${calls === 1 ? "call" : "calls"}${failed ? ` · ${failed} failed` : ""}`,
      ),
    ),
    h(
      "ol",
      { class: "calls" },
      group.lines.map((line) => call(line, shared)),
    ),
  );
}

function call({ first, times, entry }, shared) {
  const open = shared.view.opened.has(first);
  const words = `${NAMES[entry.from]} to ${NAMES[entry.to]}`;
  return h(
    "li",
    { key: first, class: hasFailed(entry) ? "call call-failed" : "call" },
    h(
      "details",
      { ontoggle: (event) => shared.toggle(first, event.target.open) },
      h(
        "summary",
        {},
        h(
          "span",
          { class: `sides from-${entry.from} to-${entry.to}` },
          h("span", { class: "visually-hidden" }, words),
          h("span", { "aria-hidden": "true" }, `${NAMES[entry.from]} → ${NAMES[entry.to]}`),
        ),
        h("code", { class: "what" }, entry.what),
        times > 1 ? h("span", { class: "times" }, `×${times}`) : null,
        h("span", { class: "outcome" }, outcome(entry)),
      ),
      open
        ? [
            entry.explain ? h("p", { class: "explain", key: "explain" }, entry.explain) : null,
            json("Request", `${first}/request`, entry.request, shared),
            json("Answer", `${first}/response`, entry.response, shared),
          ]
        : null,
    ),
  );
}

function outcome({ status, ms, ok, response }) {
  const word = (ok === false && response?.error) || (status ?? (ok === false ? "failed" : "…"));
  return ms === undefined || ms === null ? String(word) : `${word} · ${Math.round(ms)} ms`;
}

function json(title, key, value, { view, copy }) {
  if (value === undefined || value === null || value === "")
    return h("p", { class: "empty", key }, `${title}: nothing.`);
  return h(
    "div",
    { class: "json", key },
    h(
      "div",
      { class: "card-head" },
      h("h4", {}, title),
      h(
        "button",
        { type: "button", class: "link-button", onclick: () => copy(key, value) },
        view.copied === key ? "Copied" : "Copy",
      ),
    ),
    h("pre", { tabindex: "0", "aria-label": title }, coloured(pretty(value))),
  );
}

const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON's text with its names, strings and other values told apart by colour. */
function coloured(text) {
  const shown = text.slice(0, SHOWN_CHARACTERS);
  const parts = [];
  let at = 0;
  for (const token of shown.matchAll(TOKENS)) {
    parts.push(shown.slice(at, token.index));
    const [whole, string, colon, word] = token;
    const kind = colon ? "name" : string ? "string" : word ? "word" : "number";
    parts.push(h("span", { class: `json-${kind}` }, string ?? whole), colon ?? "");
    at = token.index + whole.length;
  }
  parts.push(shown.slice(at), text.length > shown.length ? `\n… ${text.length - shown.length} more characters` : "");
  return parts;
}
