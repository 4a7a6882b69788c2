// Slack's sidebar: the workspace, its channels, people and apps, and the global shortcuts.

import { h } from "/page/dom.js";
import { avatar } from "/page/blocks.js";
import { icon } from "/page/icons.js";
import { openMenu } from "/page/popover.js";

export function sidebar(slack, place) {
  const { channels, app, me } = slack.state;
  const rooms = channels.filter((one) => one.kind === "public" || one.kind === "private");
  const directs = channels.filter((one) => (one.kind === "im" || one.kind === "mpim") && !one.app_is_member);
  const atHome = place.place === "home" || place.channel?.id === slack.appChannel()?.id;
  return h(
    "nav",
    { class: "sidebar", key: "sidebar", "aria-label": "Channels" },
    h(
      "div",
      { class: "workspace" },
      h("span", { class: "workspace-name" }, app.workspace),
      shortcutButton(slack),
    ),
    h(
      "div",
      { class: "sidebar-scroll" },
      group(
        "Channels",
        rooms.map((one) => channelLink(slack, one, place)),
      ),
      group("Direct messages", [
        h(
          "span",
          { class: "side-item is-me", key: "me" },
          avatar({ name: me.real_name }, "is-tiny"),
          h("span", { class: "side-name" }, me.real_name || me.name),
          h("span", { class: "side-note" }, "you"),
        ),
        ...directs.map((one) => channelLink(slack, one, place)),
      ]),
      group("Apps", [
        h(
          "a",
          {
            class: `side-item${atHome ? " is-here" : ""}${slack.appChannel() && slack.unread(slack.appChannel()) ? " is-unread" : ""}`,
            href: "#/home",
            "data-app": app.app_id,
            "aria-current": atHome ? "page" : null,
          },
          avatar({ name: app.name, app: true }, "is-tiny"),
          h("span", { class: "side-name" }, app.name),
        ),
      ]),
    ),
  );
}

function group(title, items) {
  return (
    items.length > 0 &&
    h(
      "div",
      { class: "side-group", key: title, role: "group", "aria-label": title },
      h("div", { class: "side-heading", "aria-hidden": "true" }, title),
      items,
    )
  );
}

function channelLink(slack, channel, place) {
  const here = place.place === "channel" && place.channel?.id === channel.id;
  const sign =
    channel.kind === "public"
      ? h("span", { class: "side-sign", "aria-hidden": "true" }, "#")
      : channel.kind === "private"
        ? icon("lock")
        : avatar({ name: channel.name }, "is-tiny");
  const unread = !here && slack.unread(channel);
  return h(
    "a",
    {
      key: channel.id,
      class: `side-item${here ? " is-here" : ""}${unread ? " is-unread" : ""}${channel.is_member ? "" : " is-stranger"}`,
      href: `#/c/${channel.id}`,
      "data-channel": channel.id,
      "aria-current": here ? "page" : null,
      "aria-label": `${channel.kind === "private" ? "private channel " : channel.kind === "public" ? "channel " : ""}${channel.name}${unread ? ", unread" : ""}`,
    },
    sign,
    h("span", { class: "side-name" }, channel.name),
  );
}

function shortcutButton(slack) {
  const found = slack.state.app.shortcuts.filter((one) => one.type === "global");
  if (!found.length) return null;
  const items = [
    { heading: "Shortcuts" },
    ...found.map((one) => ({
      label: one.name,
      description: one.description,
      run: () => slack.act("shortcut", { callback_id: one.callback_id }),
    })),
  ];
  return h(
    "button",
    {
      class: "workspace-button",
      type: "button",
      "aria-label": "Shortcuts",
      title: "Shortcuts",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      onclick: (event) => openMenu(event.currentTarget, items, { label: "Shortcuts" }),
    },
    icon("bolt"),
  );
}
