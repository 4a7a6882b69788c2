// The guided tour: what stands beside a thing, and how a step is shown, done, waited for and kept over a reload.
// The steps themselves are in tour_steps.js.

import { create, h, patch } from "/page/dom.js";
import { STEPS, begin } from "/page/tour_steps.js";
import { place } from "/page/tour_place.js";

const KEPT = "playground:tour";
const PATIENCE = 20_000;
const LOOK_EVERY = 100;
const MEANT_FOR_BEFORE = 600; // milliseconds in which a press was meant for the step that just ended by itself

let tour = null;

export function mount(element, store) {
  tour = new Tour(element, store);
  tour.resume();
}

export function startTour() {
  tour?.start();
}

class Tour {
  constructor(element, store) {
    this.store = store;
    this.light = create(h("div", { class: "tour-light", hidden: true }));
    this.card = create(
      h("div", {
        class: "tour-card",
        role: "dialog",
        "aria-labelledby": "tour-title",
        "aria-describedby": "tour-text",
        hidden: true,
        onkeydown: (event) => this.onKey(event),
      }),
    );
    element.append(this.light, this.card);
    this.known = null; // what it has learned on its way, beside the step it is at
    this.doing = null;
    this.problem = "";
    this.movedAt = -Infinity;
    setInterval(() => this.look(), LOOK_EVERY);
  }

  get step() {
    return STEPS[this.known.step];
  }

  start() {
    this.known = { step: 0, ...begin(this.store.state) };
    this.come();
  }

  resume() {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    if (!kept || !STEPS[kept.step]) return;
    this.known = kept;
    this.come();
  }

  end() {
    this.known = null;
    this.doing = null;
    sessionStorage.removeItem(KEPT);
    this.light.hidden = this.card.hidden = true;
    document.getElementById("tour-start")?.focus();
  }

  go(to) {
    this.movedAt = -Infinity;
    this.known.step = to;
    this.come();
  }

  /** Arrives at a step: the page shows what it is about, and the card stands beside that. */
  come() {
    sessionStorage.setItem(KEPT, JSON.stringify(this.known));
    this.doing = null;
    this.problem = "";
    this.scrolled = false;
    this.wasDone = this.isDone();
    this.step.show?.(this.context);
    this.card.hidden = false;
    this.draw();
    if (document.activeElement === document.body || this.card.contains(document.activeElement) || this.known.step === 0)
      this.focus();
    this.frame();
  }

  focus() {
    this.card.querySelector("[data-next]")?.focus();
  }

  get context() {
    return this.contextOf(null);
  }

  /** What a step may look at, always as it is now. */
  contextOf(doing) {
    const { store, known } = this;
    return {
      store,
      known,
      get state() {
        return store.state;
      },
      until: (check, what) => this.until(check, what, doing),
    };
  }

  isDone() {
    return !this.step.done || Boolean(this.step.done(this.context));
  }

  // -- going on ------------------------------------------------------------------------------------------------------

  async next() {
    if (this.doing || performance.now() - this.movedAt < MEANT_FOR_BEFORE) return;
    if (this.isDone()) return this.onward();
    const doing = (this.doing = { since: Date.now(), alerts: alertsShown() });
    this.problem = "";
    this.draw();
    try {
      await this.step.perform?.(this.contextOf(doing));
      await this.until(() => this.isDone(), this.step.awaits, doing);
      if (this.doing === doing) this.onward();
    } catch (error) {
      if (this.doing === doing) this.fail(error);
    }
  }

  onward() {
    if (this.known.step + 1 < STEPS.length) this.go(this.known.step + 1);
    else this.end();
  }

  fail(error) {
    this.doing = null;
    this.problem = [error.message, this.reason()].filter(Boolean).join(" ");
    this.draw();
    this.focus();
  }

  /** What the page knows of why things do not come about. */
  reason() {
    const { bot, faults } = this.store.state.faults;
    if (bot !== "running") return `The bot is ${bot}: start it under Datadog, Break it.`;
    const broken = faults.filter((fault) => fault.active).map((fault) => fault.name);
    return broken.length ? `Broken on purpose just now: ${broken.join(", ")}.` : "";
  }

  /** Waits until something is so; an error that the page shows meanwhile, or too long a wait, ends it. */
  until(check, what, doing) {
    const from = Date.now();
    return new Promise((resolve, reject) => {
      const timer = setInterval(() => {
        const found = check();
        const said = [...alertsShown()].find((words) => !doing.alerts.has(words));
        if (!found && this.doing === doing && !said && Date.now() - from < PATIENCE) return;
        clearInterval(timer);
        if (found) resolve(found);
        else reject(new Error(said ?? `${what ?? "It"} did not come within ${PATIENCE / 1000} seconds.`));
      }, LOOK_EVERY);
    });
  }

  /** What a person did by themselves counts as well. */
  look() {
    if (!this.known || this.doing || this.wasDone || !this.isDone()) return;
    this.onward();
    this.movedAt = performance.now();
  }

  // -- how it looks --------------------------------------------------------------------------------------------------

  draw() {
    const { step, doing, problem } = this;
    const number = this.known.step + 1;
    const last = number === STEPS.length;
    patch(
      this.card,
      h("p", { class: "tour-count" }, `Step ${number} of ${STEPS.length}`),
      h("h2", { id: "tour-title" }, step.title),
      h("p", { id: "tour-text" }, step.text(this.context)),
      h("p", { class: "tour-doing", role: "status" }, doing ? (step.waiting ?? "One moment …") : ""),
      problem
        ? h("div", { class: "tour-problem", role: "alert" }, h("strong", {}, "That did not work. "), problem)
        : null,
      h(
        "div",
        { class: "tour-buttons" },
        h(
          "button",
          {
            type: "button",
            class: "button is-primary",
            "data-next": true,
            key: "next",
            "aria-disabled": doing ? "true" : null,
            onclick: () => this.next(),
          },
          problem ? "Try again" : last ? "Done" : "Next",
        ),
        number > 1
          ? h(
              "button",
              { type: "button", class: "button", key: "back", onclick: () => this.go(this.known.step - 1) },
              "Back",
            )
          : null,
        problem
          ? h("button", { type: "button", class: "button", key: "over", onclick: () => this.start() }, "Start over")
          : null,
        last
          ? null
          : h("button", { type: "button", class: "button is-plain", key: "skip", onclick: () => this.end() }, "Skip"),
      ),
      h("progress", {
        class: "tour-progress",
        max: STEPS.length,
        value: number,
        "aria-hidden": "true",
        tabindex: "-1",
      }),
    );
  }

  onKey(event) {
    const typing = event.target.matches("input, textarea, select");
    if (event.key === "Escape") this.end();
    else if (event.key === "ArrowRight" && !typing) this.next();
    else if (event.key === "ArrowLeft" && !typing && this.known.step > 0) this.go(this.known.step - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Follows the thing through scrolling, resizing and redrawing for as long as the tour is there. */
  frame() {
    const known = this.known;
    const follow = () => {
      if (this.known !== known || !known) return;
      this.follow();
      requestAnimationFrame(follow);
    };
    if (this.following !== known) requestAnimationFrame(follow);
    this.following = known;
  }

  follow() {
    const target = visible(this.step.target?.(this.context));
    if (target && !this.scrolled) {
      this.scrolled = true;
      target.scrollIntoView({ block: target.offsetHeight < innerHeight / 2 ? "center" : "nearest", inline: "nearest" });
      document.scrollingElement.scrollTo(0, 0); // panes scroll, the page does not
    }
    place(this.card, this.light, target?.getBoundingClientRect());
  }
}

function visible(element) {
  return element?.getClientRects().length ? element : null;
}

/** The words of all errors that the page shows now. */
function alertsShown() {
  const shown = [...document.querySelectorAll('[role="alert"]')].filter(
    (alert) => !alert.closest("#tour") && visible(alert),
  );
  return new Set(shown.map((alert) => alert.textContent.trim().replace(/^Slackbot\s*/, "")).filter(Boolean));
}
