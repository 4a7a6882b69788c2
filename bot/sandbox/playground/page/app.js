// Puts the page together: header, the panes, who one is, light or dark. What is in a pane is the pane's own affair.

import { h, patch } from "/page/dom.js";
import { openMenu, openPopover, closePopover } from "/page/popover.js";
import { connect } from "/page/stream.js";
import { toast } from "/page/toast.js";

const ROLES = { member: "Member", admin: "Workspace admin", guest: "Guest", outside: "From another company" };
const THEMES = { light: "Light", dark: "Dark", system: "As the system" };
const PANES = { slack: "Slack", datadog: "Datadog", journal: "What just happened" };
const $ = (id) => document.getElementById(id);

function theme() {
  return localStorage.getItem("theme") ?? "system";
}

function setTheme(name) {
  localStorage.setItem("theme", name);
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}

function pickTheme(event, store) {
  openMenu(
    event.currentTarget,
    Object.entries(THEMES).map(([name, label]) => ({
      label,
      checked: theme() === name,
      run: () => {
        setTheme(name);
        drawTop(store);
      },
    })),
    { label: "Theme" },
  );
}

function pickPerson(event, store) {
  openMenu(
    event.currentTarget,
    [
      { heading: "Look and act as" },
      ...store.state.people.map((person) => ({
        label: person.real_name || person.name,
        description: ROLES[person.role] ?? person.role,
        checked: person.id === store.state.me.id,
        run: () => become(store, person),
      })),
    ],
    { label: "People" },
  );
}

async function become(store, person) {
  await store.become(person.id);
  toast(`You are ${person.real_name || person.name} now.`);
}

function askReset(event, store) {
  const anchor = event.currentTarget;
  const reset = async () => {
    closePopover({ refocus: true });
    await attempt(() => store.act("reset", {}));
  };
  const { box } = openPopover(
    anchor,
    () => [
      h("p", { key: "words", class: "popover-words" }, "Start over? Everything that happened here is forgotten."),
      h(
        "div",
        { key: "buttons", class: "popover-buttons" },
        h("button", { type: "button", class: "button", onclick: () => closePopover({ refocus: true }) }, "Cancel"),
        h("button", { type: "button", class: "button is-danger", onclick: reset }, "Start over"),
      ),
    ],
    { label: "Start over" },
  );
  box.querySelector("button").focus();
}

async function startTour() {
  const tour = await import("/page/tour.js");
  tour.startTour();
}

async function attempt(gesture) {
  try {
    return await gesture();
  } catch (error) {
    toast(error.message, { kind: "error" });
    return null;
  }
}

const BOT_STATES = { running: "is running", stopped: "is stopped", starting: "is starting", died: "died" };
const UNREACHABLE = "The playground does not answer; trying again";

function drawTop(store) {
  const { me, app, faults } = store.state;
  const bot = store.connected ? (faults?.bot ?? "starting") : "unreachable";
  patch(
    $("top"),
    h(
      "h1",
      { class: "brand" },
      h("span", { class: "brand-mark", "aria-hidden": "true" }, "B"),
      h("span", {}, app?.name ?? "Bits Bot"),
      h("span", { class: "brand-what" }, "playground"),
    ),
    h(
      "span",
      { class: `bot-state is-${bot}`, role: "status" },
      h("span", { class: "bot-dot", "aria-hidden": "true" }),
      bot === "unreachable" ? UNREACHABLE : `The bot ${BOT_STATES[bot] ?? bot}`,
    ),
    h(
      "div",
      { class: "top-tools" },
      h("button", { id: "tour-start", type: "button", class: "button is-primary", onclick: startTour }, "Tour"),
      h(
        "button",
        {
          id: "person",
          type: "button",
          class: "button person-button",
          "aria-haspopup": "menu",
          "aria-expanded": "false",
          "aria-label": `You are ${me.real_name || me.name}, ${ROLES[me.role]}. Change`,
          onclick: (event) => pickPerson(event, store),
        },
        h("span", { class: "initials", "aria-hidden": "true" }, (me.real_name || me.name).slice(0, 1).toUpperCase()),
        h("span", { class: "person-name" }, me.real_name || me.name),
        h("span", { class: "person-role" }, ROLES[me.role] ?? me.role),
        h("span", { "aria-hidden": "true" }, "▾"),
      ),
      h(
        "button",
        {
          id: "theme",
          type: "button",
          class: "button is-plain",
          "aria-haspopup": "menu",
          "aria-expanded": "false",
          "aria-label": `Theme: ${THEMES[theme()]}`,
          title: "Theme",
          onclick: (event) => pickTheme(event, store),
        },
        "◐",
      ),
      h(
        "button",
        {
          id: "reset",
          type: "button",
          class: "button is-plain",
          "aria-haspopup": "dialog",
          "aria-expanded": "false",
          onclick: (event) => askReset(event, store),
        },
        "Reset",
      ),
    ),
  );
}

function showPane(name) {
  document.body.dataset.pane = name;
  if (name !== "slack") document.body.dataset.side = name;
  $("datadog").hidden = document.body.dataset.side === "journal";
  $("journal").hidden = document.body.dataset.side !== "journal";
  drawTabs();
}

function drawTabs() {
  const side = document.body.dataset.side ?? "datadog";
  const names = ["datadog", "journal"];
  const move = (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = names[(names.indexOf(document.body.dataset.side ?? "datadog") + 1) % 2];
    showPane(other);
    $(`tab-${other}`).focus();
  };
  patch(
    $("side-tabs"),
    names.map((name) =>
      h(
        "button",
        {
          key: name,
          id: `tab-${name}`,
          type: "button",
          role: "tab",
          class: "side-tab",
          "aria-controls": name,
          "aria-selected": String(side === name),
          tabindex: side === name ? 0 : -1,
          onclick: () => showPane(name),
          onkeydown: move,
        },
        PANES[name],
      ),
    ),
  );
  const pane = document.body.dataset.pane;
  patch(
    $("pane-nav"),
    Object.entries(PANES).map(([name, label]) =>
      h(
        "button",
        {
          key: name,
          type: "button",
          "aria-current": pane === name ? "page" : null,
          onclick: () => showPane(name),
        },
        name === "journal" ? "What happened" : label,
      ),
    ),
  );
}

/** F6 walks through the panes, as it does in Slack. */
function walkPanes(event) {
  if (event.key !== "F6") return;
  event.preventDefault();
  const stops = [$("top"), $("tour"), $("slack"), $("side")].filter((pane) =>
    pane.querySelector("button, a, input, [tabindex]"),
  );
  const at = stops.findIndex((pane) => pane.contains(document.activeElement));
  const next = stops[(at + (event.shiftKey ? -1 : 1) + stops.length) % stops.length];
  (
    next.querySelector("[data-first-stop]") ?? next.querySelector("button:not([disabled]), a, input, [tabindex='0']")
  )?.focus();
}

async function mountPane(id, store) {
  try {
    const module = await import(`/page/${id}.js`);
    module.mount($(id), store);
  } catch (error) {
    console.error(`The pane ${id} could not be shown:`, error);
    patch(
      $(id),
      h("p", { class: "pane-failed", role: "alert" }, `This part of the page could not be shown: ${error.message}`),
    );
  }
}

async function start() {
  setTheme(theme());
  document.body.dataset.side = "datadog";
  showPane("slack");
  document.addEventListener("pane", (event) => showPane(event.detail));
  document.addEventListener("keydown", walkPanes);
  const store = await connect();
  drawTop(store);
  store.subscribe(["me", "people", "app", "faults", "connected"], () => drawTop(store));
  await Promise.all(["slack", "datadog", "journal", "tour"].map((id) => mountPane(id, store)));
  document.body.dataset.ready = "true";
}

start().catch((error) => {
  console.error(error);
  toast(`The playground did not answer: ${error.message}`, { kind: "error" });
});
