// The Datadog beside Slack: its alerts, investigations and cases as they are, and what one can do to them.

import { h, patch } from "/page/dom.js";
import { copyText, remember, remembered, tabs } from "/page/parts.js";
import { alertsPanel, isOver, standing } from "/page/datadog_alerts.js";
import { casesPanel } from "/page/datadog_cases.js";
import { faultsPanel } from "/page/datadog_faults.js";
import { investigationsPanel, isRunning } from "/page/datadog_investigations.js";

const KEPT = "playground:datadog";
const PANELS = { alerts: alertsPanel, investigations: investigationsPanel, cases: casesPanel, faults: faultsPanel };

let show = () => {};

/** Brings a part of the pane to the front: alerts, investigations, cases or faults. */
export function showDatadog(tab) {
  show(tab);
}

export function mount(element, store) {
  const ui = remembered(KEPT, { tab: "alerts", via: "message" });
  const said = { error: "", done: "", copied: "", busy: new Set() };

  const keep = (changes) => {
    Object.assign(ui, changes);
    remember(KEPT, ui);
    draw();
  };

  /** Asks for it, and tells how that went; a second press while the first is under way does nothing. */
  const act = async (kind, args, done = "") => {
    const doing = JSON.stringify([kind, args]);
    if (said.busy.has(doing)) return false;
    said.busy.add(doing);
    Object.assign(said, { error: "", done: "", copied: "" });
    draw();
    try {
      await store.act(kind, args);
      said.done = done;
      return true;
    } catch (error) {
      said.error = error.message;
      return false;
    } finally {
      said.busy.delete(doing);
      draw();
    }
  };

  const copy = async (text) => {
    await copyText(text);
    Object.assign(said, { copied: text, done: "Copied. Paste it in Slack." });
    draw();
  };

  const draw = () => {
    const { datadog, faults } = store.state;
    if (!datadog || !faults) return patch(element, h("p", { class: "empty" }, "Datadog is starting …"));
    const page = { store, state: store.state, datadog, faults, ui, keep, act, copy, copied: said.copied };
    return patch(
      element,
      h("h2", { class: "visually-hidden" }, "Datadog"),
      tabs("datadog", "Parts of Datadog", entries(datadog, faults), ui.tab, (tab) => keep({ tab })),
      h("div", { class: "said", "aria-live": "polite" }, said.done && h("p", { class: "said-done" }, said.done)),
      h(
        "div",
        { class: "said" },
        said.error &&
          banner(said.error, () => {
            said.error = "";
            draw();
          }),
      ),
      h(
        "div",
        {
          role: "tabpanel",
          class: "dd-panel",
          id: "datadog-panel",
          key: ui.tab,
          "aria-labelledby": `datadog-tab-${ui.tab}`,
        },
        PANELS[ui.tab](page),
      ),
    );
  };

  show = (tab) => keep({ tab });
  element.classList.add("datadog");
  store.subscribe(["datadog", "faults", "channels", "people"], draw);
  setInterval(() => !document.hidden && element.offsetParent && draw(), 1000);
  draw();
}

function entries(datadog, faults) {
  const broken = faults.faults.filter((fault) => fault.active).length + (faults.bot === "running" ? 0 : 1);
  return [
    { id: "alerts", name: "Alerts", count: standing(datadog.alerts).filter((alert) => !isOver(alert)).length },
    { id: "investigations", name: "Investigations", count: datadog.investigations.filter(isRunning).length },
    { id: "cases", name: "Cases", count: datadog.cases.length },
    { id: "faults", name: "Break it", count: broken },
  ];
}

function banner(words, close) {
  return h(
    "div",
    { role: "alert", class: "banner banner-danger" },
    h("p", {}, words),
    h("button", { type: "button", class: "icon-button", "aria-label": "Close this message", onclick: close }, "×"),
  );
}
