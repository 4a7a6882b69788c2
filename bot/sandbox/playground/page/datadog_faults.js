// What can be broken on purpose, and how the bot bears it: its state and the end of its log.

import { h } from "/page/dom.js";
import { pill } from "/page/parts.js";

const TONES = { running: "ok", starting: "busy", stopped: "warn", died: "danger" };
const WORDS = {
  running: "The bot is running.",
  starting: "The bot is starting.",
  stopped: "The bot is stopped. What happens now waits for it.",
  died: "The bot is dead. Start it: it goes on where it was.",
};
const WHERE = [
  { id: "datadog", name: "What Datadog does" },
  { id: "slack", name: "What Slack does" },
];
const DOINGS = {
  running: [
    ["restart", "Restart"],
    ["stop", "Stop"],
    ["kill", "Kill it"],
  ],
  starting: [["kill", "Kill it"]],
  stopped: [["start", "Start"]],
  died: [["start", "Start"]],
};

export function faultsPanel(page) {
  return [botCard(page), WHERE.map((where) => switches(page, where)), log(page.faults.log)];
}

function botCard({ faults, act }) {
  const button = ([doing, name]) =>
    h(
      "button",
      {
        type: "button",
        class: `button is-small ${doing === "kill" ? "is-danger" : ""}`,
        key: doing,
        "data-do": doing,
        onclick: () => act("bot", { do: doing }, `${name}: done.`),
      },
      name,
    );
  return h(
    "div",
    { class: `card card-${TONES[faults.bot]}`, key: "bot", "data-tour": "bot" },
    h(
      "div",
      { class: "card-head" },
      h("h3", {}, "The bot"),
      pill(faults.bot, TONES[faults.bot]),
      h("span", { class: "facts" }, faults.mode === "http" ? "signed HTTP" : "Socket Mode"),
    ),
    h("p", { role: "status" }, WORDS[faults.bot]),
    h("div", { class: "row row-buttons" }, (DOINGS[faults.bot] ?? []).map(button)),
  );
}

function switches({ faults, act }, where) {
  const those = faults.faults.filter((fault) => fault.where === where.id);
  if (!those.length) return null;
  return h(
    "section",
    { key: where.id, class: "card", "aria-labelledby": `dd-faults-${where.id}` },
    h("h3", { id: `dd-faults-${where.id}` }, where.name),
    h(
      "ul",
      { class: "lines" },
      those.map((fault) => faultSwitch(fault, act)),
    ),
  );
}

function faultSwitch(fault, act) {
  const flip = () =>
    act("fault", { id: fault.id, on: !fault.active }, `${fault.name}: ${fault.active ? "healed" : "broken"}.`);
  const left = fault.active && Number(fault.remaining) > 0 ? `${fault.remaining} more` : "";
  return h(
    "li",
    { key: fault.id },
    h(
      "button",
      {
        type: "button",
        role: "switch",
        class: "switch",
        "aria-checked": String(fault.active),
        "data-fault": fault.id,
        onclick: flip,
      },
      h("span", { class: "switch-track", "aria-hidden": "true" }, h("span", { class: "switch-knob" })),
      h(
        "span",
        { class: "switch-name" },
        fault.name,
        fault.description ? h("span", { class: "field-hint" }, fault.description) : null,
      ),
      left ? h("span", { class: "facts" }, left) : null,
    ),
  );
}

function log(lines) {
  return h(
    "section",
    { key: "log", class: "card", "aria-labelledby": "dd-log" },
    h("h3", { id: "dd-log" }, "The bot’s log"),
    lines?.length
      ? h(
          "pre",
          { class: "log", tabindex: "0", "aria-label": "Last lines of the bot’s log" },
          lines.map((line, index) => h("span", { key: index, class: level(line) }, `${line}\n`)),
        )
      : h("p", { class: "empty" }, "It has said nothing yet."),
  );
}

function level(line) {
  if (/\b(ERROR|CRITICAL)\b/.test(line)) return "log-error";
  return /\bWARN(ING)?\b/.test(line) ? "log-warning" : "log-info";
}
