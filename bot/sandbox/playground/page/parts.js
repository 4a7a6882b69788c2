// Small things that the Datadog pane, the journal and the tour draw alike.

import { create, h } from "/page/dom.js";

/** A state in words and colour; tones: ok, warn, danger, busy, quiet. */
export function pill(words, tone = "quiet") {
  return h("span", { class: `pill pill-${tone}` }, words);
}

export function milliseconds(moment) {
  if (typeof moment === "string")
    return Number.isNaN(Number(moment)) ? Date.parse(moment) : milliseconds(Number(moment));
  return moment > 1e11 ? moment : moment * 1000;
}

export function clock(moment) {
  return new Date(milliseconds(moment)).toLocaleTimeString([], { hour12: false });
}

export function ago(moment, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - milliseconds(moment)) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

export function timeTag(moment) {
  const when = new Date(milliseconds(moment));
  return h("time", { datetime: when.toISOString(), title: when.toLocaleString() }, ago(moment));
}

/** Labels are part of what they label, so that a click on either and a screen reader find the other. */
export function field(label, control, hint) {
  return h(
    "label",
    { class: "field" },
    h("span", { class: "field-label" }, label),
    control,
    hint && h("span", { class: "field-hint" }, hint),
  );
}

export function select(options, value, onchange, more = {}) {
  const choices = options.map(({ id, name }) => h("option", { value: id, key: id }, name));
  return h("select", { ...more, onchange, value }, choices);
}

/** One of a few, shown side by side; arrow keys move between them as in any group of radio buttons. */
export function choice(legend, name, options, value, onpick) {
  const radios = options.map((option) =>
    h(
      "label",
      { class: "choice-option", key: option.id },
      h("input", {
        type: "radio",
        name,
        value: option.id,
        checked: option.id === value,
        onchange: () => onpick(option.id),
      }),
      h("span", {}, option.name),
    ),
  );
  return h(
    "fieldset",
    { class: "choice" },
    h("legend", { class: "field-label" }, legend),
    h("div", { class: "choice-row" }, radios),
  );
}

export function copyButton({ copied, copy }, text, what) {
  const said = copied === text ? "Copied" : "Copy link";
  return h(
    "button",
    { type: "button", class: "link-button", onclick: () => copy(text), "aria-label": `${said}: ${what}`, title: text },
    said,
  );
}

/** Access to the clipboard is only given to pages of this machine; elsewhere the old way works. */
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).catch(() => copyTheOldWay(text));
  return copyTheOldWay(text);
}

function copyTheOldWay(text) {
  const field = create(h("textarea", { class: "visually-hidden", "aria-hidden": "true", value: text }));
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

/** Tabs whose panels are drawn by the caller; left, right, Home and End move between them. */
export function tabs(name, label, entries, chosen, pick) {
  const move = (event) => {
    const at = entries.findIndex((entry) => entry.id === chosen);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: entries.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = entries[(to + entries.length) % entries.length].id;
    pick(next);
    document.getElementById(`${name}-tab-${next}`)?.focus();
  };
  const tab = (entry) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        class: "tab",
        key: entry.id,
        id: `${name}-tab-${entry.id}`,
        "aria-selected": String(entry.id === chosen),
        "aria-controls": `${name}-panel`,
        tabindex: entry.id === chosen ? "0" : "-1",
        onclick: () => pick(entry.id),
      },
      entry.name,
      entry.count ? h("span", { class: "tab-count" }, String(entry.count)) : null,
    );
  return h("div", { role: "tablist", class: "tabs", "aria-label": label, onkeydown: move }, entries.map(tab));
}

/** What a person chose on this page, kept over a reload. */
export function remembered(name, otherwise) {
  try {
    return { ...otherwise, ...JSON.parse(sessionStorage.getItem(name) ?? "{}") };
  } catch {
    return { ...otherwise };
  }
}

export function remember(name, value) {
  sessionStorage.setItem(name, JSON.stringify(value));
}
