// The windows over Slack: one stack of them, a question before what can't be undone, and where the keyboard is meanwhile.

import { h } from "/page/dom.js";
import { renderConfirm, renderView } from "/page/blocks.js";

const FIELDS = "input:not([type=hidden]):not([disabled]), textarea, .bk-select-button";

export function modalLayer(slack) {
  let shown = null;
  let cameFrom = null;
  let lookForErrors = false;
  let lastAction = null; // of the field the keyboard was in

  const top = () => slack.state.modals.at(-1) ?? null;
  const name = () => (slack.question ? "question" : (top()?.id ?? null));

  async function submit(view) {
    slack.failed = null;
    slack.busy = view.id;
    slack.changed();
    await slack.allTold();
    await slack.act("submit", { view: view.id });
    slack.busy = null;
    lookForErrors = true;
    slack.changed();
  }

  /** After a form was sent the keyboard is at the first field that has to be changed. */
  function toFirstError() {
    const field = slack.element.querySelector(".window .has-error :is(input, textarea, button)");
    if (!lookForErrors || !field) return;
    lookForErrors = false;
    field.focus();
  }

  function close(view, all = false) {
    slack.failed = null;
    return slack.act("close", { view: view.id, everything: all });
  }

  function draw() {
    lastAction = document.activeElement?.closest?.(".windows")
      ? (document.activeElement.dataset.actionId ?? null)
      : lastAction;
    const view = top();
    if (!view && !slack.question) return null;
    const { names, me, channels } = slack.state;
    const failed = slack.failed?.view === view?.id ? slack.failed?.words : null;
    const windowed =
      view &&
      renderView(view, {
        names,
        me,
        channels,
        failed,
        busy: slack.busy === view.id,
        ...slack.gestures({ view: view.id }),
        onSubmit: submit,
        onBack: (one) => close(one),
        onCloseAll: (one) => close(one, true),
      });
    return h(
      "div",
      { class: "windows", key: "windows" },
      windowed &&
        h(
          "div",
          { key: "view", class: `window-place depth-${slack.state.modals.length}`, inert: slack.question !== null },
          windowed,
        ),
      slack.question &&
        h(
          "div",
          { key: "question", class: "window-place is-question" },
          renderConfirm(slack.question.confirm, {
            names,
            me,
            onyes: () => slack.question.answer(true),
            onno: () => slack.question.answer(false),
          }),
        ),
    );
  }

  /** After drawing: focus goes into a window that opened, and back to where it came from once all are closed. */
  function settle() {
    const now = name();
    if (now === shown) {
      keepInside(now);
      return toFirstError();
    }
    lookForErrors = false;
    if (shown === null) cameFrom = remembered(slack.element);
    shown = now;
    if (now === null) return giveBack();
    const box = slack.element.querySelector(now === "question" ? ".window.is-confirm" : ".window:not(.is-confirm)");
    if (now === "question") return box.querySelector("[data-confirm=no]").focus();
    return (box.querySelector(`.window-body :is(${FIELDS})`) ?? box.querySelector("button[type=submit]") ?? box).focus({
      preventScroll: true,
    });
  }

  /** A window that was drawn anew under the keyboard keeps it: in the field of the same name, where there is one. */
  function keepInside(now) {
    if (now === null || document.activeElement !== document.body) return;
    const box = slack.element.querySelector(now === "question" ? ".window.is-confirm" : ".window:not(.is-confirm)");
    const same =
      lastAction &&
      [...(box?.querySelectorAll("[data-action-id]") ?? [])].find((field) => field.dataset.actionId === lastAction);
    (same || box)?.focus({ preventScroll: true });
  }

  function giveBack() {
    const back = cameFrom?.element.isConnected
      ? cameFrom.element
      : slack.element.querySelector(cameFrom?.selector ?? ".composer-field");
    cameFrom = null;
    if (document.activeElement === document.body || slack.element.contains(document.activeElement))
      (back ?? slack.element).focus({ preventScroll: true });
  }

  function keyPressed(event) {
    const now = name();
    if (now === null) return false;
    if (event.key === "Escape") {
      event.preventDefault();
      if (slack.question) slack.question.answer(false);
      else close(top());
    }
    return true;
  }

  return { draw, settle, keyPressed };
}

function remembered(within) {
  const element = within.contains(document.activeElement) ? document.activeElement : null;
  const article = element?.closest("article");
  return element
    ? { element, selector: article ? `article[data-ts="${article.dataset.ts}"]` : ".composer-field" }
    : null;
}
