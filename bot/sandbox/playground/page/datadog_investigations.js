// Investigations as Datadog runs them: how the next ones end and how long they take, and those there are.

import { h } from "/page/dom.js";
import { choice, copyButton, field, pill, select, timeTag } from "/page/parts.js";

const SPEEDS = [
  { id: "1", name: "1 s" },
  { id: "4", name: "4 s" },
  { id: "15", name: "15 s" },
  { id: "60", name: "1 min" },
];
const TONES = { conclusive: "ok", inconclusive: "warn", failed: "danger" };

/** Bits' words for a run that is over; whatever else it says means that it goes on. */
export const isRunning = (run) =>
  !/^(conclusive|inconclusive|failed|completed|terminal)/i.test(run.status) && !run.concluded;

export function investigationsPanel(page) {
  return [nextOnes(page), runs(page)];
}

function nextOnes({ datadog, act }) {
  const outcome = datadog.outcomes.find((one) => one.id === datadog.outcome);
  const seconds = String(datadog.speed);
  const speeds = SPEEDS.some((one) => one.id === seconds) ? SPEEDS : [{ id: seconds, name: `${seconds} s` }, ...SPEEDS];
  const setOutcome = async (event) => {
    const field = event.target;
    if (!(await act("set_outcome", { outcome: field.value }, "Set for the investigations to come.")))
      field.value = datadog.outcome;
  };
  return h(
    "div",
    { class: "card", key: "next", "data-tour": "next-investigations" },
    h("h3", {}, "The next investigations"),
    field(
      "How they end",
      select(datadog.outcomes, datadog.outcome, setOutcome, { name: "outcome" }),
      outcome?.description,
    ),
    choice("How long they take", "speed", speeds, seconds, (speed) =>
      act("set_speed", { seconds: Number(speed) }, `They take ${speed} s from now on.`),
    ),
  );
}

function runs(page) {
  const newest = [...page.datadog.investigations].sort(
    (one, other) => Number(other.started_at) - Number(one.started_at),
  );
  return h(
    "section",
    { key: "runs", "aria-labelledby": "dd-runs" },
    h("h3", { id: "dd-runs" }, "Investigations"),
    newest.length
      ? h(
          "ul",
          { class: "cards" },
          newest.map((run) => runCard(page, run)),
        )
      : h("p", { class: "empty" }, "None yet: press Investigate under an alert in Slack."),
  );
}

function runCard(page, run) {
  const { act } = page;
  const running = isRunning(run);
  return h(
    "li",
    {
      class: `card card-${running ? "busy" : (TONES[run.status] ?? "quiet")}`,
      key: run.id,
      "data-investigation": run.id,
    },
    h(
      "div",
      { class: "card-head" },
      pill(run.status, running ? "busy" : TONES[run.status]),
      h("strong", { class: "card-title" }, run.title),
      timeTag(run.started_at),
    ),
    running ? h("div", { class: "working", role: "img", "aria-label": "It is running" }, h("span", {})) : null,
    running && run.outcome_planned ? h("p", { class: "facts" }, `Will end: ${run.outcome_planned}`) : null,
    run.conclusions?.map((conclusion, index) => conclusionDetails(conclusion, index)),
    h(
      "div",
      { class: "row row-buttons" },
      running
        ? h(
            "button",
            {
              type: "button",
              class: "button is-small",
              key: "finish",
              "aria-label": `Finish now: ${run.title}`,
              onclick: () => act("finish", { investigation: run.id }, `Finished: ${run.title}.`),
            },
            "Finish now",
          )
        : null,
      run.link ? copyButton(page, run.link, run.title) : null,
    ),
  );
}

function conclusionDetails(conclusion, index) {
  return h(
    "details",
    { class: "conclusion", key: index },
    h("summary", {}, conclusion.title),
    h("p", {}, conclusion.summary),
    conclusion.description ? h("pre", { class: "prose" }, conclusion.description) : null,
  );
}
