// Short messages in the corner: what a lock screen would show, and what went wrong.

import { h, patch } from "/page/dom.js";

const SHOWN_MS = { notice: 7000, error: 9000, info: 4000 };
const shown = [];
let next = 1;

export function toast(text, { kind = "info", title = "", onclick = null } = {}) {
  const one = { id: next++, text, kind, title, onclick };
  shown.push(one);
  if (shown.length > 4) shown.shift();
  draw();
  setTimeout(() => dismiss(one), SHOWN_MS[kind]);
}

function dismiss(one) {
  const at = shown.indexOf(one);
  if (at >= 0) shown.splice(at, 1);
  draw();
}

function draw() {
  patch(document.getElementById("toasts"), shown.map(card));
}

function card(one) {
  const words = [one.title && h("strong", {}, one.title), h("span", {}, one.text)];
  const open = () => {
    dismiss(one);
    one.onclick();
  };
  const body = one.onclick
    ? h("button", { class: "toast-open", type: "button", onclick: open }, words)
    : h("div", { class: "toast-words" }, words);
  const close = h(
    "button",
    { class: "toast-close", type: "button", "aria-label": "Dismiss", onclick: () => dismiss(one) },
    "×",
  );
  return h(
    "div",
    { key: one.id, class: `toast toast-${one.kind}`, role: one.kind === "error" ? "alert" : "status" },
    body,
    close,
  );
}
