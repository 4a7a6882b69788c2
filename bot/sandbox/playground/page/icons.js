// The few line icons of the page, drawn here so that nothing is fetched.

import { h } from "/page/dom.js";

const PATHS = {
  reply: ["M4 4.5h12v8.2H9.2L6 15.5v-2.8H4z"],
  more: ["M5 10h.01", "M10 10h.01", "M15 10h.01"],
  smile: [
    "M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6",
    "M7.4 8.2h.01",
    "M12.6 8.2h.01",
    "M7 11.6c.8 1.2 1.8 1.8 3 1.8s2.2-.6 3-1.8",
  ],
  close: ["M5 5l10 10", "M15 5L5 15"],
  back: ["M12 4.5L6.5 10l5.5 5.5"],
  send: ["M4 4l13 6-13 6 2-6z", "M6 10h6"],
  lock: ["M5.5 9h9v7h-9z", "M7.5 9V6.5a2.5 2.5 0 0 1 5 0V9"],
  trash: ["M4.5 6h11", "M8 6V4.5h4V6", "M6 6l.7 9.5h6.6L14 6"],
  up: ["M6.5 9.5v6.5H4V9.5z", "M6.5 9.5L9.5 3.5c1.3 0 1.800.8 1.6 2l-.5 2.5H15l-1 7.5H6.5"],
  down: ["M6.5 10.5V4H4v6.5z", "M6.5 10.5l3 6c1.3 0 1.800-.8 1.6-2l-.5-2.5H15L14 4.5H6.5"],
  bolt: ["M11 3L5 11.5h4L8.5 17 15 8.5h-4.5z"],
  home: ["M4 9.5L10 4l6 5.5V16h-4v-4H8v4H4z"],
  video: ["M4 5.5h8v9H4z", "M12 9l4-2.5v7L12 11z"],
};

export function icon(name) {
  return h(
    "svg",
    { class: `icon icon-${name}`, viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" },
    PATHS[name].map((d) => h("path", { d })),
  );
}
