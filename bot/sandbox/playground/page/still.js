// One message, thread, window or Home tab by itself, for pictures: `drawSurface` is called by who takes them.

import { h, patch } from "/page/dom.js";
import { renderMessage, renderView } from "/page/blocks.js";

window.drawSurface = ({
  kind,
  messages = [],
  view = null,
  names = {},
  me = null,
  now,
  timeZone = "UTC",
  theme = "light",
}) => {
  document.documentElement.dataset.theme = theme;
  const ctx = { names, me, now, timeZone, still: true };
  const drawn = {
    message: () =>
      h(
        "div",
        { class: "still-messages" },
        messages.map((one) => renderMessage(one, ctx)),
      ),
    modal: () => renderView(view, ctx),
    home: () => h("div", { class: "still-home" }, renderView(view, ctx)),
  }[kind]();
  patch(
    document.getElementById("still"),
    h("div", { key: `${Math.random()}`, class: `still-frame is-${kind}` }, drawn),
  );
};
document.body.dataset.ready = "true";
