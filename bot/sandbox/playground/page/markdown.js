// Standard Markdown, as Slack's markdown block takes it, as nodes.

import { h } from "/page/dom.js";
import { link, mrkdwn, withEmoji } from "/page/mrkdwn.js";

const INLINE = [
  [/\\([\\`*_{}[\]()#+\-.!|<>~])/, (found) => [found[1]]],
  [/`([^`\n]+)`/, (found) => [h("code", {}, found[1])]],
  [/<([@#!][^<>\n]+|https?:[^<>\n]+)>/, (found, ctx) => mrkdwn(found[0], ctx)],
  [/!?\[([^\]\n]*)\]\(([^)\s]+)\)/, (found, ctx) => [link(found[2], found[1], ctx)]],
  [/\*\*(\S.*?)\*\*|__(\S.*?)__/, (found, ctx) => [h("strong", {}, inline(found[1] ?? found[2], ctx))]],
  [/~~(\S.*?)~~/, (found, ctx) => [h("s", {}, inline(found[1], ctx))]],
  [
    /(?<![\w*])\*(\S[^*\n]*?)\*(?![\w*])|(?<![\w_])_(\S[^_\n]*?)_(?![\w_])/,
    (found, ctx) => [h("em", {}, inline(found[1] ?? found[2], ctx))],
  ],
];

function inline(words, ctx) {
  let first = null;
  for (const [pattern, make] of INLINE) {
    const found = pattern.exec(words);
    if (found && (!first || found.index < first.found.index)) first = { found, make };
  }
  if (!first) return withEmoji(words);
  const { found, make } = first;
  return [
    ...withEmoji(words.slice(0, found.index)),
    ...make(found, ctx),
    ...inline(words.slice(found.index + found[0].length), ctx),
  ];
}

export function markdown(text, ctx) {
  const lines = String(text).split("\n");
  const out = [];
  while (lines.length) out.push(...nextBlock(lines, ctx));
  return out;
}

const ITEM = /^(\s*)([-*+]|\d+[.)]) +(.*)$/;
const STARTS = /^(#{1,6} |```|> ?|\s*([-*+]|\d+[.)]) |\|.*\||(\*{3,}|-{3,}|_{3,})$)/;

function nextBlock(lines, ctx) {
  const line = lines[0];
  const heading = /^(#{1,6}) +(.*)$/.exec(line);
  if (heading) {
    lines.shift();
    return [h("p", { class: "md-heading" }, inline(heading[2], ctx))];
  }
  if (line.startsWith("```")) return [fence(lines)];
  if (/^(\*{3,}|-{3,}|_{3,})\s*$/.test(line)) {
    lines.shift();
    return [h("hr")];
  }
  if (/^> ?/.test(line))
    return [
      h(
        "blockquote",
        {},
        markdown(
          taken(lines, /^> ?/)
            .map((one) => one.replace(/^> ?/, ""))
            .join("\n"),
          ctx,
        ),
      ),
    ];
  if (/^\|.*\|\s*$/.test(line) && /^\|[\s:|-]+\|\s*$/.test(lines[1] ?? ""))
    return [table(taken(lines, /^\|.*\|\s*$/), ctx)];
  if (ITEM.test(line)) return taken(lines, ITEM).map((one) => item(ITEM.exec(one), ctx));
  if (!line.trim()) {
    lines.shift();
    return [];
  }
  return [paragraph(lines, ctx)];
}

function taken(lines, pattern) {
  const found = [];
  while (lines.length && pattern.test(lines[0])) found.push(lines.shift());
  return found;
}

function fence(lines) {
  lines.shift();
  const code = [];
  while (lines.length && !lines[0].startsWith("```")) code.push(lines.shift());
  lines.shift();
  return h("pre", { class: "code-block" }, code.join("\n"));
}

function item([, indent, mark, words], ctx) {
  const level = Math.min(8, Math.floor(indent.length / 2));
  const number = Number.parseInt(mark, 10);
  const line = h("li", {}, inline(words, ctx));
  return Number.isNaN(number)
    ? h("ul", { class: `list indent-${level}` }, line)
    : h("ol", { class: `list indent-${level}`, start: number }, line);
}

function table(rows, ctx) {
  const cells = (row) =>
    row
      .trim()
      .slice(1, -1)
      .split("|")
      .map((cell) => inline(cell.trim(), ctx));
  const [head, , ...body] = rows;
  return h(
    "div",
    { class: "table-scroll", tabindex: 0, role: "region", "aria-label": "Table" },
    h(
      "table",
      { class: "table" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          cells(head).map((cell) => h("th", { scope: "col" }, cell)),
        ),
      ),
      h(
        "tbody",
        {},
        body.map((row) =>
          h(
            "tr",
            {},
            cells(row).map((cell) => h("td", {}, cell)),
          ),
        ),
      ),
    ),
  );
}

function paragraph(lines, ctx) {
  const words = [lines.shift()];
  while (lines.length && lines[0].trim() && !STARTS.test(lines[0])) words.push(lines.shift());
  return h(
    "p",
    {},
    words.flatMap((line, at) => (at ? [h("br"), ...inline(line, ctx)] : inline(line, ctx))),
  );
}
