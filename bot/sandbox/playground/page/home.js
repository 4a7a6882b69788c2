// The app's Home tab.

import { h } from "/page/dom.js";
import { renderView } from "/page/blocks.js";
import { appTabs, bannerLine } from "/page/channel.js";
import { icon } from "/page/icons.js";

export function home(slack) {
  const { home: view, app, me, names, channels } = slack.state;
  const shown = view && renderView(view, { names, me, channels, ...slack.gestures({ view: view.id }) });
  return h(
    "div",
    { class: "channel is-home", key: "home", role: "region", "aria-label": `${app.name}, Home` },
    h(
      "div",
      { class: "pane-head" },
      h("a", { class: "head-back", href: "#/", "aria-label": "All channels" }, icon("back")),
      h("h2", { class: "pane-title" }, app.name),
      h("span", { class: "app-badge" }, "APP"),
    ),
    appTabs(slack, "home"),
    h(
      "div",
      { class: "home", "data-scroll": true, tabindex: 0, role: "group", "aria-label": "Home tab" },
      shown ?? h("p", { class: "empty" }, `${app.name} is drawing its Home tab…`),
    ),
    bannerLine(slack, true),
  );
}

/** Slack tells the app each time somebody opens the tab. */
export function openHome(slack) {
  const me = slack.state.me.id;
  if (slack.homeAsked === me) return;
  slack.homeAsked = me;
  slack.act("open_home", {});
}
