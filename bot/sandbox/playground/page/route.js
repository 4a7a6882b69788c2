// What of Slack is shown, kept in the address so that a reload comes back to it.

const listeners = new Set();
export const route = { now: read() };

function read() {
  const [place, channel, thread] = location.hash.replace(/^#\/?/, "").split("/");
  if (place === "home") return { place: "home" };
  if (place === "c" && channel) return { place: "channel", channel, thread: thread || null };
  return { place: "none" };
}

export function hashOf({ place, channel, thread }) {
  if (place === "home") return "#/home";
  return place === "channel" ? `#/c/${channel}${thread ? `/${thread}` : ""}` : "#/";
}

/** `pane` ("slack", "datadog" or "journal") is brought to the front, too: on a phone only one is there. */
export function go({ pane, ...wanted }) {
  if (pane) document.dispatchEvent(new CustomEvent("pane", { detail: pane }));
  if (!wanted.place) return;
  const hash = hashOf(wanted);
  if (location.hash === hash) return;
  location.hash = hash;
}

export function onRoute(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

window.addEventListener("hashchange", () => {
  route.now = read();
  for (const listener of listeners) listener(route.now);
});
