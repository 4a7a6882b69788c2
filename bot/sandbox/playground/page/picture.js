// Pictures, and the red box for what nobody taught the page to draw.

import { h } from "/page/dom.js";

/** An image of another host is not fetched: a drawing with its description stands there instead. */
export function picture({ image_url: url = "", alt_text: alt = "" }, _ctx, kind = "bk-image") {
  if (url.startsWith("data:image/") || url.startsWith("/")) return h("img", { class: kind, src: url, alt });
  return h(
    "span",
    { class: `${kind} is-drawn`, role: "img", "aria-label": alt || "Picture", title: url },
    kind === "bk-image" ? graph(url) : null,
  );
}

/** A line that climbs over its threshold, always the same one for the same address. */
function graph(seed) {
  const noise = [...`${seed}bits`].map((letter) => letter.charCodeAt(0));
  const points = Array.from({ length: 25 }, (_, at) => {
    const calm = 112 - (noise[(at * 7) % noise.length] % 13);
    const high = 34 + (noise[(at * 5) % noise.length] % 15);
    const up = Math.min(1, Math.max(0, (at - 13) / 3));
    return `${at * 20},${Math.round(calm + (high - calm) * up)}`;
  }).join(" ");
  return h(
    "svg",
    { viewBox: "0 0 480 140", preserveAspectRatio: "none", "aria-hidden": "true" },
    [35, 70, 105].map((y) => h("line", { class: "graph-grid", x1: 0, x2: 480, y1: y, y2: y })),
    h("line", { class: "graph-threshold", x1: 0, x2: 480, y1: 66, y2: 66 }),
    h("polyline", { class: "graph-line", points }),
  );
}

/** Strict: whatever is not known is seen by people and by tests. */
export function unknown(what, json) {
  const told = `Unknown ${what}: ${json?.type ?? JSON.stringify(json)}`;
  console.error(told, json);
  return h("div", { class: "bk-unknown", role: "alert" }, told);
}
