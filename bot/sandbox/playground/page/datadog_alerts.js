// Monitors, and the alerts they fire: into a channel as Datadog's own message, to the bot's webhook, or both.

import { h } from "/page/dom.js";
import { choice, copyButton, field, pill, select, timeTag } from "/page/parts.js";

const WAYS = [
  { id: "message", name: "Datadog’s message" },
  { id: "webhook", name: "Webhook" },
  { id: "both", name: "Both" },
];
const WAY_HINTS = {
  message: "Datadog’s own Slack app posts it. The bot offers its buttons in the thread.",
  webhook: "Datadog calls the bot, and the bot posts a card of its own that follows the alert until it is over.",
  both: "As with a monitor that notifies @slack and @webhook.",
};
const TONES = { alert: "danger", warn: "warn", "no data": "warn", ok: "ok", recovered: "ok" };
const MOVES = {
  alert: ["warn", "recover"],
  warn: ["alert", "recover"],
  "no data": ["alert", "recover"],
  ok: ["alert"],
  recovered: ["alert"],
};
const MOVE_NAMES = { warn: "Warn", recover: "Recover", alert: "Alert again" };

export function alertsPanel(page) {
  const { datadog } = page;
  return [fireForm(page), alertList(page), monitorList(page)];
}

// -- firing ----------------------------------------------------------------------------------------------------------

function fireForm(page) {
  const { datadog, ui, keep, act } = page;
  const kind = datadog.kinds.find((one) => one.id === ui.kind) ?? datadog.kinds[0];
  const channels = page.state.channels.filter((one) => one.is_member && !one.archived && one.kind !== "im");
  const channel =
    channels.find((one) => one.id === ui.channel) ?? channels.find((one) => one.name === "alerts") ?? channels[0];
  const fire = (event) => {
    event.preventDefault();
    act("fire", { kind: kind.id, via: ui.via, channel: channel?.id }, `Fired: ${kind.name}.`);
  };
  return h(
    "form",
    { class: "card fire-form", key: "fire", onsubmit: fire, "data-tour": "fire" },
    h("h3", {}, "Fire an alert"),
    field(
      "What",
      select(datadog.kinds, kind?.id, (event) => keep({ kind: event.target.value }), { name: "kind" }),
      kind?.description,
    ),
    choice("How Slack hears of it", "via", WAYS, ui.via, (via) => keep({ via })),
    h("p", { class: "field-hint" }, WAY_HINTS[ui.via]),
    h(
      "div",
      { class: "row" },
      field(
        "Channel",
        select(
          channels.map(({ id, name }) => ({ id, name: `#${name}` })),
          channel?.id,
          (event) => keep({ channel: event.target.value }),
          { name: "channel" },
        ),
      ),
      h("button", { type: "submit", class: "button is-primary" }, "Fire the alert"),
    ),
  );
}

// -- what was fired --------------------------------------------------------------------------------------------------

/** Each group of a monitor that ever alerted, as it stands now: `alerts` has every event of it, newest first. */
export function standing(alerts) {
  const groups = new Map();
  for (const alert of alerts) {
    const key = `${alert.monitor_id} ${alert.group}`;
    if (!groups.has(key)) groups.set(key, { ...alert, key, before: [] });
    else groups.get(key).before.push(alert);
  }
  return [...groups.values()];
}

export const isOver = (alert) => /^(ok|recovered)$/i.test(alert?.state ?? "");

function alertList(page) {
  const alerts = standing(page.datadog.alerts);
  return h(
    "section",
    { key: "alerts", "aria-labelledby": "dd-alerts" },
    h("h3", { id: "dd-alerts" }, "Alerts"),
    alerts.length
      ? h(
          "ul",
          { class: "cards" },
          alerts.map((alert) => alertCard(page, alert)),
        )
      : h("p", { class: "empty" }, "Nothing has fired yet."),
  );
}

function alertCard(page, alert) {
  const state = alert.state.toLowerCase();
  const name = page.datadog.monitors.find((monitor) => monitor.id === alert.monitor_id)?.name ?? alert.title;
  return h(
    "li",
    {
      class: `card card-${TONES[state] ?? "quiet"}`,
      key: alert.key,
      "data-alert": alert.id,
      "data-monitor": alert.monitor_id,
    },
    h(
      "div",
      { class: "card-head" },
      pill(alert.state, TONES[state]),
      h("strong", { class: "card-title" }, name),
      timeTag(alert.fired_at),
    ),
    h(
      "p",
      { class: "facts" },
      alert.group ? h("code", {}, alert.group) : null,
      alert.value ? ` at ${alert.value}` : null,
    ),
    h(
      "div",
      { class: "row row-buttons" },
      (MOVES[state] ?? []).map((to) => moveButton(page, { ...alert, name }, to)),
      alert.link && copyButton(page, alert.link, name),
    ),
  );
}

function moveButton({ act }, alert, to) {
  const done = to === "recover" ? `Recovered: ${alert.name}.` : `${alert.name}: ${to}.`;
  return h(
    "button",
    {
      type: "button",
      class: "button is-small",
      key: to,
      "data-move": to,
      "aria-label": `${MOVE_NAMES[to]}: ${alert.name}`,
      onclick: () => act("change_alert", { alert: alert.id, to }, done),
    },
    MOVE_NAMES[to],
  );
}

// -- monitors --------------------------------------------------------------------------------------------------------

function monitorList(page) {
  const { monitors } = page.datadog;
  return h(
    "details",
    { class: "card", key: "monitors" },
    h("summary", {}, h("h3", {}, `Monitors (${monitors.length})`)),
    h(
      "ul",
      { class: "lines" },
      monitors.map((monitor) => monitorLine(page, monitor)),
    ),
  );
}

function monitorLine(page, monitor) {
  const state = String(monitor.state ?? "OK");
  return h(
    "li",
    { key: monitor.id },
    h(
      "div",
      { class: "card-head" },
      pill(state, TONES[state.toLowerCase()]),
      h("strong", { class: "card-title" }, monitor.name),
      monitor.priority ? pill(`P${monitor.priority}`) : null,
    ),
    h("p", { class: "facts" }, monitor.type, monitor.threshold ? ` · threshold ${monitor.threshold}` : ""),
    h("code", { class: "query" }, monitor.query),
    monitor.tags?.length ? h("p", { class: "facts" }, monitor.tags.join("  ")) : null,
    monitor.link && h("div", { class: "row row-buttons" }, copyButton(page, monitor.link, monitor.name)),
  );
}
