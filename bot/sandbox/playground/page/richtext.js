// Rich text: sections, lists, quotes and code with their leaves.

import { h } from "/page/dom.js";
import {
  broadcast,
  channelMention,
  dateWords,
  emojiNode,
  groupMention,
  link,
  userMention,
  withEmoji,
  follow,
} from "/page/mrkdwn.js";
import { unknown } from "/page/picture.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", underline: "u", highlight: "mark", code: "code" };

export function richText(block, ctx) {
  return block.elements.map((part) => (PARTS[part.type] ?? ((one) => unknown("rich text", one)))(part, ctx));
}

const PARTS = {
  rich_text_section: (part, ctx) => h("div", { class: "rich-section" }, leaves(part.elements, ctx)),
  rich_text_quote: (part, ctx) => h("blockquote", {}, leaves(part.elements, ctx)),
  rich_text_preformatted: (part, ctx) => h("pre", { class: "code-block" }, leaves(part.elements, ctx, { plain: true })),
  rich_text_list: (part, ctx) => {
    const kind = `list indent-${part.indent ?? 0}${part.border ? " has-border" : ""}`;
    const items = part.elements.map((item) => h("li", {}, leaves(item.elements, ctx)));
    return part.style === "ordered"
      ? h("ol", { class: kind, start: 1 + (part.offset ?? 0) }, items)
      : h("ul", { class: kind }, items);
  },
};

export function leaves(elements, ctx, { plain = false } = {}) {
  return elements.map((leaf) => {
    const draw = LEAVES[leaf.type];
    if (!draw) return unknown("rich text element", leaf);
    return styled(draw(leaf, ctx, plain), leaf.style);
  });
}

function styled(node, style) {
  return Object.entries(STYLES)
    .filter(([name]) => style?.[name])
    .reduce((inner, [, tag]) => h(tag, {}, inner), node);
}

const lines = (words) =>
  words.split("\n").flatMap((line, at) => (at ? [h("br"), ...withEmoji(line)] : withEmoji(line)));

const LEAVES = {
  text: (leaf, _ctx, plain) => (plain || leaf.style?.code ? leaf.text : lines(leaf.text)),
  link: (leaf, ctx) => (leaf.style?.unlink ? leaf.text || leaf.url : link(leaf.url, leaf.text, ctx)),
  user: (leaf, ctx) => userMention(leaf.user_id, ctx),
  usergroup: (leaf, ctx) => groupMention(leaf.usergroup_id, ctx),
  channel: (leaf, ctx) => channelMention(leaf.channel_id, ctx),
  team: (leaf, ctx) => h("span", { class: "mention" }, `@${ctx.names?.users?.[leaf.team_id] ?? leaf.team_id}`),
  broadcast: (leaf) => broadcast(leaf.range),
  emoji: (leaf) => emojiNode(leaf.name),
  date: (leaf, ctx) => {
    const shown = h(
      "time",
      { class: "date", title: leaf.fallback ?? null },
      dateWords(leaf.timestamp, leaf.format, ctx, leaf.fallback),
    );
    return leaf.url
      ? h(
          "a",
          {
            class: "link",
            href: leaf.url,
            target: "_blank",
            rel: "noreferrer noopener",
            onclick: (event) => follow(event, leaf.url, ctx),
          },
          shown,
        )
      : shown;
  },
  color: (leaf) =>
    h("span", { class: "color" }, h("span", { class: "color-chip", style: { background: leaf.value } }), leaf.value),
};
