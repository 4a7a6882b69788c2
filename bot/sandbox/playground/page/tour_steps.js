// The steps of the tour: what each shows, what Next does there, and by what one sees that it is done.
// What a step does is what a person would do: it presses the buttons that stand on the page.

import { go } from "/page/route.js";
import { showDatadog } from "/page/datadog.js";
import { isOver, standing } from "/page/datadog_alerts.js";
import { isRunning } from "/page/datadog_investigations.js";

const LINKS = 3;

/** What is there before the tour begins, to tell apart what comes of it. */
export function begin(state) {
  const channel = state.channels.find((one) => one.name === "alerts") ?? state.channels[0];
  const newest = (state.messages[channel.id] ?? []).reduce((ts, message) => (message.ts > ts ? message.ts : ts), "0");
  const ids = (things) => things.map((one) => one.id);
  const { alerts, investigations, cases } = state.datadog;
  return { channel: channel.id, since: newest, alerts: ids(alerts), runs: ids(investigations), cases: ids(cases) };
}

// -- what has come about ----------------------------------------------------------------------------------------------

const fresh = (things, known) => things.find((one) => !known.includes(one.id));

/** The monitor's group as it stands now, once it fired on the tour. */
function alertOf({ state, known }) {
  const fired =
    state.datadog.alerts.find((alert) => alert.id === known.fired) ?? fresh(state.datadog.alerts, known.alerts);
  return (
    fired &&
    standing(state.datadog.alerts).find((alert) => alert.monitor_id === fired.monitor_id && alert.group === fired.group)
  );
}

const runOf = ({ state, known }) => fresh(state.datadog.investigations, known.runs);
const caseOf = ({ state, known }) => fresh(state.datadog.cases, known.cases);

/** Those of the tour and their threads, not what is still answered under older ones. */
function messagesOf({ state, known }) {
  return (state.messages[known.channel] ?? []).filter((message) => (message.thread_ts ?? message.ts) > known.since);
}

/** The newest message of the tour that has a button of this kind. */
function messageWith(tour, action) {
  return messagesOf(tour).findLast((message) => actionsOf(message).includes(action));
}

function actionsOf(message) {
  const elements = (message.blocks ?? []).flatMap((block) =>
    [...(block.elements ?? []), block.accessory].filter(Boolean),
  );
  return elements.map((element) => element.action_id);
}

/** The message that offered to investigate: it stays the same one when that button is gone. */
function offerOf(tour) {
  const { known } = tour;
  const isOffer = (message) => (known.offer ? message.ts === known.offer : offers(message));
  const offer = messagesOf(tour).find(isOffer);
  known.offer ??= offer?.ts;
  return offer;
}

const offers = (message) => actionsOf(message).includes("alert:investigate");

function threadOf(tour) {
  const offer = offerOf(tour);
  return offer && (offer.thread_ts ?? offer.ts);
}

function cardOf(tour) {
  const thread = threadOf(tour);
  return messagesOf(tour).find(
    (message) => message.thread_ts === thread && message.ts > offerOf(tour).ts && message.author?.app,
  );
}

const conclusionsOf = (tour) => messageWith(tour, "conclusions:feedback");
const caseCardOf = (tour) => messageWith(tour, "case:attach");
const modalOf = ({ state }, callback) => state.modals.find((view) => view.callback_id === callback);

// -- where it stands on the page --------------------------------------------------------------------------------------

function messageElement(message, within = "") {
  if (!message) return null;
  const found = [...document.querySelectorAll(`[data-ts="${message.ts}"] ${within}`.trim())];
  return found.find((element) => element.closest("[data-thread]")) ?? found[0] ?? null;
}

const button = (message, action) => messageElement(message, `[data-action-id="${action}"]`);
const modal = () => [...document.querySelectorAll("[data-view-id]")].at(-1) ?? null;
const inModal = (selector) => modal()?.querySelector(selector);

const hasToldOfAttaching = ({ state }) => !state.modals.length || /Attached/.test(wordsOf(state.modals.at(-1)));
const wordsOf = (view) => JSON.stringify(view?.blocks ?? "");
const leaveModals = () => inModal('[data-close="all"]')?.click();

function openThread({ known }, thread) {
  go({ pane: "slack", place: "channel", channel: known.channel, thread });
}

function showThread(tour) {
  openThread(tour, threadOf(tour));
}

function showTab(tab) {
  go({ pane: "datadog" });
  showDatadog(tab);
}

// -- what people do ---------------------------------------------------------------------------------------------------

async function press(tour, find, what) {
  const element = await tour.until(() => isFree(find()) && find(), what);
  element.click();
}

const isFree = (element) => element && !element.disabled && element.getAttribute("aria-disabled") !== "true";

async function closeModals(tour) {
  if (!tour.state.modals.length) return;
  await press(tour, () => inModal('[data-close="all"]'), "The button that closes the window");
  await tour.until(() => !tour.state.modals.length, "Closing the window");
}

/** The form asks for a project where the channel has no rule for it. */
async function chooseProject(tour) {
  const chosen = () =>
    Object.values(modalOf(tour, "case_form")?.state?.values ?? {}).some(
      (entered) => entered.case_project?.selected_option,
    );
  if (chosen() || !inModal('[data-action-id="case_project"]')) return;
  await press(tour, () => inModal('[data-action-id="case_project"]'), "The list of projects");
  const name = tour.state.datadog.projects[0].name;
  const option = () =>
    [...document.querySelectorAll('.popover [role="option"]')].find((one) => one.textContent.includes(name));
  await press(tour, option, `The project ${name}`);
  await tour.until(chosen, `Choosing ${name}`);
}

function write(field, text) {
  field.focus();
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

async function fire(tour) {
  const { state, store, known } = tour;
  await closeModals(tour);
  const { alert } = await store.act("fire", {
    kind: state.datadog.kinds[0].id,
    via: "webhook",
    channel: known.channel,
  });
  known.fired = alert;
}

/** Links of things that the case has not got yet. */
function linksFor(tour) {
  const { monitors, incidents = [] } = tour.state.datadog;
  const held = new Set(caseOf(tour).insights.map((insight) => String(insight.resource_id)));
  const others = [...monitors, ...incidents].filter((one) => one.link && !held.has(String(one.id)));
  return others.slice(0, LINKS).map((one) => one.link);
}

async function pasteLinks(tour) {
  const before = caseOf(tour).insights.length;
  tour.known.insights ??= before;
  const field = await tour.until(() => inModal('[data-action-id="attach:paste"]'), "The field for links");
  write(field.matches("input, textarea") ? field : field.querySelector("input, textarea"), linksFor(tour).join("\n"));
  await press(
    tour,
    () => inModal('button[data-action-id="attach:add"], [data-action-id="attach:add"] button'),
    "The button Add",
  );
  await tour.until(() => wordsOf(modalOf(tour, "attach_form")).includes(`${LINKS} of `), "The list of links");
  await press(tour, () => inModal("button[type=submit]"), "The button Attach");
}

// -- the steps --------------------------------------------------------------------------------------------------------

export const STEPS = [
  {
    title: "From an alert to a closed case",
    text: () =>
      "On the left is Slack, on the right Datadog; between them runs the real bot. Nothing leaves this machine. In two minutes: an alert, an investigation, its conclusions, a case, three links, the recovery.",
    show: () => go({ pane: "slack" }),
  },
  {
    title: "Three in the morning",
    text: () =>
      "A monitor watches how long the checkout takes. Next lets it fire: Datadog calls the bot, and the bot posts a card in #alerts.",
    show: () => showTab("alerts"),
    target: () => document.querySelector('[data-tour="fire"]'),
    waiting: "The alert fires …",
    awaits: "The bot’s card for the alert",
    perform: fire,
    done: (tour) => offerOf(tour) && alertOf(tour),
  },
  {
    title: "One click starts Bits AI",
    text: () =>
      "The card says what is wrong, since when, and what one can do. Next presses Investigate. Ten people may press it at once: one investigation is started, and paid for.",
    show: (tour) => openThread(tour, offerOf(tour)?.thread_ts ?? null),
    target: (tour) => messageElement(offerOf(tour)),
    waiting: "Starting …",
    awaits: "The investigation",
    perform: (tour) => press(tour, () => button(offerOf(tour), "alert:investigate"), "The button Investigate"),
    done: (tour) => runOf(tour),
  },
  {
    title: "It works, and says so",
    text: ({ state }) =>
      `A status card stands in the alert’s thread and is edited in place. Here an investigation takes ${state.datadog.speed} seconds, in real life minutes. Next waits for it.`,
    show: showThread,
    target: (tour) => messageElement(cardOf(tour)),
    waiting: "Bits AI investigates …",
    awaits: "The conclusions",
    perform: async (tour) => {
      const run = runOf(tour);
      if (isRunning(run) && tour.state.datadog.speed > 10) await tour.store.act("finish", { investigation: run.id });
    },
    done: conclusionsOf,
  },
  {
    title: "The conclusions, where the question was",
    text: () =>
      "The likely cause first, in the alert’s thread, for everyone who asked. Full report has the evidence; votes count in your team’s own numbers.",
    show: showThread,
    target: (tour) => messageElement(conclusionsOf(tour)),
  },
  {
    title: "A case, filled in already",
    text: () =>
      "Next presses Create case. Title, project, priority and description come from the alert and its conclusions.",
    show: showThread,
    target: (tour) => button(conclusionsOf(tour), "conclusions:create_case"),
    waiting: "Opening the form …",
    awaits: "The form of the case",
    perform: (tour) =>
      press(tour, () => button(conclusionsOf(tour), "conclusions:create_case"), "The button Create case"),
    done: (tour) => caseOf(tour) || (modalOf(tour, "case_form")?.submit && modal()),
  },
  {
    title: "Change what you like",
    text: ({ state }) =>
      `Everything in this form may be changed. Next chooses the project ${state.datadog.projects[0].name} and creates the case in Datadog, with alert, monitor and conclusions attached.`,
    show: () => go({ pane: "slack" }),
    target: modal,
    waiting: "Creating the case …",
    awaits: "The case and its card",
    perform: async (tour) => {
      await chooseProject(tour);
      await press(tour, () => inModal("button[type=submit]"), "The button that creates the case");
    },
    done: (tour) => caseOf(tour) && caseCardOf(tour) && !/Creating|Adding/.test(wordsOf(modalOf(tour, "case_form"))),
  },
  {
    title: "One card a case",
    text: (tour) =>
      `${caseOf(tour)?.key ?? "The case"} has a card in the thread: status, priority and assignee are changed from here, and it says who did what. Next opens the window for more insights.`,
    show: (tour) => {
      leaveModals();
      showThread(tour);
    },
    target: (tour) => modal() ?? messageElement(caseCardOf(tour)),
    waiting: "Opening the window …",
    awaits: "The window for insights",
    perform: async (tour) => {
      await closeModals(tour);
      await press(tour, () => button(caseCardOf(tour), "case:attach"), "The button Attach insights");
    },
    done: (tour) => modalOf(tour, "attach_form")?.submit && inModal('[data-action-id="attach:paste"]'),
  },
  {
    title: "Paste links, get insights",
    text: () =>
      "Any number of Datadog links, separated by anything: each is recognised and checked. Next pastes three and attaches them.",
    show: () => go({ pane: "slack" }),
    target: modal,
    waiting: "Attaching three links …",
    awaits: "The three insights",
    perform: pasteLinks,
    done: (tour) =>
      tour.known.insights !== undefined &&
      caseOf(tour)?.insights.length >= tour.known.insights + LINKS &&
      hasToldOfAttaching(tour),
  },
  {
    title: "There they are",
    text: (tour) =>
      `Datadog has them: ${caseOf(tour)?.insights.length ?? "all"} insights on ${caseOf(tour)?.key ?? "the case"}. The card in Slack counts them, and the thread says who attached them.`,
    show: () => {
      leaveModals();
      showTab("cases");
    },
    target: (tour) => document.querySelector(`[data-case="${caseOf(tour)?.key}"]`),
  },
  {
    title: "All is well again",
    text: () => "Next lets the monitor recover: the card in #alerts turns green and says how long it lasted.",
    show: () => showTab("alerts"),
    target: (tour) => document.querySelector(`[data-alert="${alertOf(tour)?.id}"]`),
    waiting: "The monitor recovers …",
    awaits: "The recovery",
    perform: async (tour) => {
      await closeModals(tour);
      await press(
        tour,
        () => document.querySelector(`[data-alert="${alertOf(tour)?.id}"] [data-move="recover"]`),
        "The button Recover",
      );
    },
    done: (tour) => isOver(alertOf(tour)) && /recovered/i.test(wordsOf(offerOf(tour))),
  },
  {
    title: "Green",
    text: () => "One card from the first beep to the recovery, with the whole story in its thread.",
    show: showThread,
    target: (tour) => messageElement(offerOf(tour)),
  },
  {
    title: "What just happened",
    text: () =>
      "Each call between Slack, the bot and Datadog is here, with its JSON. Now break something: stop Slack, kill the bot, let Datadog answer 429, and see it recover.",
    show: () => go({ pane: "journal" }),
    target: () => document.querySelector("#journal"),
  },
];
