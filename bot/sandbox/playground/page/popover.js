// Menus and lists of choices that open at a button: one at a time, closed by Escape, a click elsewhere or a choice.

import { h, patch } from "/page/dom.js";

let current = null;

export function openPopover(anchor, draw, { label, role = "dialog", width = 0, onclose = null } = {}) {
  closePopover();
  const box = document.createElement("div");
  box.className = "popover";
  box.setAttribute("role", role);
  if (label) box.setAttribute("aria-label", label);
  box.addEventListener("mousedown", (event) => {
    if (!event.target.closest("input, button, a")) event.preventDefault();
  }); // focus stays where it is
  (anchor.closest("[data-popovers]") ?? document.body).append(box);
  current = { box, anchor, onclose };
  anchor.setAttribute("aria-expanded", "true");
  const redraw = () => {
    patch(box, draw());
    settle(box, anchor, width);
  };
  redraw();
  return { box, redraw, close: closePopover };
}

export function closePopover({ refocus = false } = {}) {
  if (!current) return;
  const { box, anchor, onclose } = current;
  current = null;
  box.remove();
  anchor.setAttribute("aria-expanded", "false");
  if (refocus && anchor.isConnected) anchor.focus();
  onclose?.();
}

/** What a menu belongs to may be gone after the page was drawn anew. */
export function closeOrphan() {
  if (current && !current.anchor.isConnected) closePopover();
}

/** A second press on its button closes a menu. */
function wasOpenAt(anchor) {
  const open = current?.anchor === anchor;
  if (open) closePopover({ refocus: true });
  return open;
}

function settle(box, anchor, width) {
  const at = anchor.getBoundingClientRect();
  if (width === "anchor") box.style.minWidth = `${at.width}px`;
  const own = box.getBoundingClientRect();
  const below = window.innerHeight - at.bottom - 12;
  const above = at.top - 12;
  const up = own.height > below && above > below;
  box.style.maxHeight = `${Math.max(120, up ? above : below)}px`;
  box.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - own.width - 8))}px`;
  box.style.top = up ? `${Math.max(8, at.top - Math.min(own.height, above) - 4)}px` : `${at.bottom + 4}px`;
}

document.addEventListener(
  "pointerdown",
  (event) => {
    if (current && !current.box.contains(event.target) && !current.anchor.contains(event.target)) closePopover();
  },
  true,
);
document.addEventListener(
  "keydown",
  (event) => {
    if (!current || event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    closePopover({ refocus: true });
  },
  true,
);
document.addEventListener("focusin", (event) => {
  if (current && !current.box.contains(event.target) && event.target !== current.anchor) closePopover();
});
window.addEventListener("resize", () => closePopover());

/** items: {label, description?, checked?, danger?, href?, run} | {heading} */
export function openMenu(anchor, items, { label = "" } = {}) {
  if (wasOpenAt(anchor)) return;
  const { box } = openPopover(anchor, () => items.map((item, at) => menuLine(item, at)), { role: "menu", label });
  box.addEventListener("keydown", (event) => moveFocus(event, box));
  (box.querySelector("[aria-checked=true]") ?? box.querySelector("[data-item]"))?.focus();
}

function menuLine(item, at) {
  if (item.heading) return h("div", { key: `h${at}`, class: "menu-heading", role: "presentation" }, item.heading);
  const run = () => {
    closePopover({ refocus: true });
    item.run?.();
  };
  const told = [
    h("span", { class: "menu-label" }, item.label),
    item.description && h("span", { class: "menu-description" }, item.description),
  ];
  const props = {
    key: `i${at}`,
    class: `menu-item${item.danger ? " is-danger" : ""}`,
    "data-item": true,
    tabindex: -1,
    onclick: run,
    role: item.checked === undefined ? "menuitem" : "menuitemradio",
    "aria-checked": item.checked === undefined ? null : String(item.checked),
  };
  return item.href
    ? h("a", { ...props, href: item.href, target: "_blank", rel: "noreferrer" }, told)
    : h("button", { ...props, type: "button" }, told);
}

function moveFocus(event, box) {
  const items = [...box.querySelectorAll("[data-item]")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === "Tab") return closePopover({ refocus: true });
  if (to === undefined) return undefined;
  event.preventDefault();
  return items[(to + items.length) % items.length].focus();
}

/** A list to search and choose from. `find(words, stillWanted)` gives the groups
    [{label?, options:[{label, description?, value}]}], now or later. */
export function openList(anchor, { label, find, chosen = [], many = false, onchoose, hint = "" }) {
  if (wasOpenAt(anchor)) return;
  const state = { words: "", groups: [], at: 0, loading: false, asked: 0, chosen: new Set(chosen) };
  const id = `list-${Math.random().toString(36).slice(2, 8)}`;
  const flatOptions = () => state.groups.flatMap((group) => group.options);

  function choose(option) {
    if (!many) {
      closePopover({ refocus: true });
      onchoose(option);
      return;
    }
    if (state.chosen.has(option.value)) state.chosen.delete(option.value);
    else state.chosen.add(option.value);
    onchoose(option, [...state.chosen]);
    opened.redraw();
  }

  function onkeydown(event) {
    const options = flatOptions();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      state.at = options.length ? (state.at + step + options.length) % options.length : 0;
      opened.redraw();
      document.getElementById(`${id}-${state.at}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (options[state.at]) choose(options[state.at]);
    } else if (event.key === "Tab") closePopover({ refocus: true });
  }

  async function look(words) {
    const asked = ++state.asked;
    state.words = words;
    const found = find(words, () => asked === state.asked && opened.box.isConnected);
    if (found instanceof Promise) {
      state.loading = true;
      opened?.redraw();
    }
    try {
      const groups = await found;
      if (asked === state.asked) state.groups = groups;
    } catch (error) {
      if (asked === state.asked) {
        state.groups = [];
        state.failed = error.message;
      }
    }
    if (asked !== state.asked || !opened.box.isConnected) return;
    state.loading = false;
    state.at = Math.max(0, words ? 0 : flatOptions().findIndex((option) => state.chosen.has(option.value)));
    opened.redraw();
  }

  function draw() {
    let n = 0;
    const line = (option) => {
      const at = n++;
      const picked = state.chosen.has(option.value);
      return h(
        "div",
        {
          key: `o${option.value}`,
          id: `${id}-${at}`,
          role: "option",
          class: `list-option${at === state.at ? " is-at" : ""}`,
          "aria-selected": String(picked),
          onclick: () => choose(option),
          onpointermove: () => {
            if (state.at !== at) {
              state.at = at;
              opened.redraw();
            }
          },
        },
        h(
          "span",
          { class: "list-words" },
          h("span", { class: "menu-label" }, option.label),
          option.description && h("span", { class: "menu-description" }, option.description),
        ),
        picked && h("span", { class: "list-tick", "aria-hidden": "true" }, "✓"),
      );
    };
    const lines = state.groups.map((group, at) =>
      h(
        "div",
        { key: `g${at}${group.label ?? ""}`, role: "group", "aria-label": group.label || null },
        group.label && h("div", { class: "menu-heading", role: "presentation" }, group.label),
        group.options.map(line),
      ),
    );
    const empty =
      !state.loading &&
      n === 0 &&
      h("div", { class: "list-empty", role: "status" }, state.failed || hint || "No results");
    return [
      h("input", {
        key: "search",
        class: "list-search",
        type: "text",
        role: "combobox",
        "aria-expanded": "true",
        "aria-controls": id,
        autocomplete: "off",
        "aria-activedescendant": n ? `${id}-${state.at}` : null,
        "aria-label": label,
        placeholder: "Type to search",
        onkeydown,
        oninput: (event) => look(event.target.value),
      }),
      h(
        "div",
        {
          key: "list",
          id,
          role: "listbox",
          class: "list-options",
          "aria-label": label,
          "aria-multiselectable": many ? "true" : null,
        },
        lines,
      ),
      state.loading && h("div", { key: "loading", class: "list-empty", role: "status" }, "Loading…"),
      empty && { ...empty, key: "empty" },
    ];
  }

  const opened = openPopover(anchor, draw, { label, width: "anchor" });
  opened.box.classList.add("popover-list");
  opened.box.querySelector(".list-search").focus();
  look("");
}
