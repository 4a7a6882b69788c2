// Slack's mrkdwn, its dates and mentions, as nodes; entities decoded, nothing ever read as markup.

import { h } from "/page/dom.js";
import { emoji } from "/page/emoji.js";

const FIRST = 0xe000; // what was already understood stands in the text as one private character
const KEPT = /[\ue000-\uf8ff]/;
const FORMATS = [
  ["strong", /(?<![\p{L}\p{N}*])\*(?=\S)([^\n*]*?\S)\*(?![\p{L}\p{N}*])/u],
  ["em", /(?<![\p{L}\p{N}_])_(?=\S)([^\n_]*?\S)_(?![\p{L}\p{N}_])/u],
  ["s", /(?<![\p{L}\p{N}~])~(?=\S)([^\n~]*?\S)~(?![\p{L}\p{N}~])/u],
];
const BROADCASTS = new Set(["here", "channel", "everyone"]);

/** Text as one writes it for Slack. `verbatim`: bare addresses stay words. */
export function mrkdwn(text, ctx, { verbatim = true } = {}) {
  const kept = [];
  const keep = (node) => String.fromCharCode(FIRST + kept.push(node) - 1);
  let words = String(text ?? "").replace(/[\ue000-\uf8ff]/g, "");
  words = words.replace(/```\n?([\s\S]*?)\n?```/g, (_, code) =>
    keep(h("pre", { class: "code-block" }, plainTokens(code, ctx))),
  );
  words = words.replace(/<([^<>\n]+)>/g, (_, token) => keep(control(token, ctx)));
  if (!verbatim)
    words = words.replace(/https?:\/\/[^\s<>|\ue000-\uf8ff]*[^\s<>|.,;:!?)\]\ue000-\uf8ff]/g, (url) =>
      keep(link(unescape(url), "", ctx)),
    );
  words = words.replace(/`([^`\n]+)`/g, (_, code) => keep(h("code", {}, restore(code, kept))));
  return blocksOfLines(words, kept);
}

function blocksOfLines(words, kept) {
  const out = [];
  let quote = [];
  const endQuote = () => {
    if (quote.length) out.push(h("blockquote", {}, joined(quote, kept)));
    quote = [];
  };
  let plain = [];
  const endPlain = () => {
    if (plain.length) out.push(...joined(plain, kept));
    plain = [];
  };
  for (const line of words.split("\n")) {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      endPlain();
      quote.push(quoted[1]);
    } else {
      if (quote.length) endQuote();
      plain.push(line);
    }
  }
  endQuote();
  endPlain();
  return out;
}

function joined(lines, kept) {
  return lines.flatMap((line, at) => {
    const nodes = formatted(line, kept);
    const own = isBlock(line, kept) || at === 0 || isBlock(lines[at - 1], kept);
    return own ? nodes : [h("br"), ...nodes];
  });
}

function isBlock(line, kept) {
  return line.length === 1 && KEPT.test(line) && kept[line.charCodeAt(0) - FIRST].tag === "pre";
}

function formatted(words, kept) {
  let first = null;
  for (const [tag, pattern] of FORMATS) {
    const found = pattern.exec(words);
    if (found && (!first || found.index < first.found.index)) first = { tag, found };
  }
  if (!first) return restore(words, kept);
  const { tag, found } = first;
  const after = words.slice(found.index + found[0].length);
  return [
    ...restore(words.slice(0, found.index), kept),
    h(tag, {}, formatted(found[1], kept)),
    ...formatted(after, kept),
  ];
}

function restore(words, kept) {
  return words.split(/([\ue000-\uf8ff])/).flatMap((piece) => {
    if (piece.length === 1 && KEPT.test(piece)) return [kept[piece.charCodeAt(0) - FIRST]];
    return withEmoji(unescape(piece));
  });
}

export function withEmoji(words) {
  return words.split(/(:[a-z0-9_+'-]+:)/).map((piece) => {
    const sign = piece.length > 2 && piece.startsWith(":") && emoji(piece.slice(1, -1));
    return sign ? emojiNode(piece.slice(1, -1), sign) : piece;
  });
}

export function emojiNode(name, sign = emoji(name)) {
  return sign ? h("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") }, sign) : `:${name}:`;
}

export function unescape(words) {
  return words.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

function plainTokens(code, ctx) {
  return unescape(
    code.replace(/<([^<>\n]+)>/g, (_, token) => {
      const [body, label] = token.split("|");
      return label ?? (/^[@#!]/.test(body) ? spoken(body, ctx) : body);
    }),
  );
}

function spoken(body, ctx) {
  if (body.startsWith("@")) return `@${nameOf("users", body.slice(1), ctx)}`;
  if (body.startsWith("#")) return `#${nameOf("channels", body.slice(1), ctx)}`;
  return `@${body.slice(1).replace(/^subteam\^/, "")}`;
}

export function nameOf(kind, id, ctx) {
  return ctx.names?.[kind]?.[id] ?? id;
}

function control(token, ctx) {
  const at = token.indexOf("|");
  const body = at < 0 ? token : token.slice(0, at);
  const label = at < 0 ? "" : token.slice(at + 1);
  if (body.startsWith("@")) return userMention(body.slice(1), ctx);
  if (body.startsWith("#")) return channelMention(body.slice(1), ctx, unescape(label));
  if (body.startsWith("!subteam^")) return groupMention(body.slice("!subteam^".length), ctx);
  if (body.startsWith("!date^")) return dateToken(body, unescape(label), ctx);
  if (body.startsWith("!")) return broadcast(body.slice(1).split("^")[0], unescape(label));
  return link(unescape(body), unescape(label), ctx);
}

export function userMention(id, ctx) {
  const mine = id === ctx.me?.id;
  return h("span", { class: `mention${mine ? " is-me" : ""}`, "data-user": id }, `@${nameOf("users", id, ctx)}`);
}

export function channelMention(id, ctx, label = "") {
  const name = ctx.names?.channels?.[id] ?? (label || "private channel");
  if (!ctx.onChannel) return h("span", { class: "mention" }, `#${name}`);
  return h(
    "a",
    {
      class: "mention",
      href: `#/c/${id}`,
      onclick: (event) => {
        event.preventDefault();
        ctx.onChannel(id);
      },
    },
    `#${name}`,
  );
}

export function groupMention(id, ctx) {
  return h("span", { class: "mention" }, `@${nameOf("groups", id, ctx)}`);
}

export function broadcast(range, label = "") {
  if (!BROADCASTS.has(range)) return h("span", { class: "mention" }, label || range);
  return h("span", { class: "mention is-broadcast" }, `@${range}`);
}

export function link(url, label, ctx) {
  const shown = label || url.replace(/^mailto:/, "");
  if (!/^(https?:|mailto:|tel:|slack:)/i.test(url)) return shown;
  return h(
    "a",
    {
      class: "link",
      href: url,
      target: "_blank",
      rel: "noreferrer noopener",
      onclick: (event) => follow(event, url, ctx),
    },
    shown,
  );
}

export function follow(event, url, ctx) {
  if (!ctx.onLink) return;
  event.preventDefault();
  ctx.onLink(url);
}

// -- dates ---------------------------------------------------------------------------------------------------------

function dateToken(body, fallback, ctx) {
  const [, stamp, form, url] = body.split("^");
  const shown = dateWords(Number(stamp), form ?? "{date} at {time}", ctx, fallback);
  const node = h("time", { class: "date", datetime: isoOf(stamp), title: fallback || null }, shown);
  return url
    ? h(
        "a",
        {
          class: "link",
          href: url,
          target: "_blank",
          rel: "noreferrer noopener",
          onclick: (event) => follow(event, url, ctx),
        },
        node,
      )
    : node;
}

function isoOf(stamp) {
  const at = new Date(Number(stamp) * 1000);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

export function dateWords(stamp, form, ctx, fallback = "") {
  const at = new Date(stamp * 1000);
  if (Number.isNaN(at.getTime())) return fallback;
  return form.replace(/\{(\w+)\}/g, (whole, name) => DATES[name]?.(at, ctx) ?? whole);
}

function format(at, ctx, options) {
  return new Intl.DateTimeFormat("en-US", { timeZone: ctx.timeZone, ...options }).format(at);
}

const WHOLE_DAY = { day: "numeric", month: "long", year: "numeric" };
const DATES = {
  date_num: (at, ctx) => new Intl.DateTimeFormat("en-CA", { timeZone: ctx.timeZone }).format(at),
  date: (at, ctx) => format(at, ctx, WHOLE_DAY),
  date_short: (at, ctx) => format(at, ctx, { ...WHOLE_DAY, month: "short" }),
  date_long: (at, ctx) => format(at, ctx, { ...WHOLE_DAY, weekday: "long" }),
  date_pretty: (at, ctx) => nearDay(at, ctx) ?? DATES.date(at, ctx),
  date_short_pretty: (at, ctx) => nearDay(at, ctx) ?? DATES.date_short(at, ctx),
  date_long_pretty: (at, ctx) => nearDay(at, ctx) ?? DATES.date_long(at, ctx),
  time: (at, ctx) => format(at, ctx, { hour: "numeric", minute: "2-digit" }),
  time_secs: (at, ctx) => format(at, ctx, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  day_divider_pretty: (at, ctx) =>
    nearDay(at, ctx) ?? format(at, ctx, { weekday: "long", month: "long", day: "numeric" }),
  ago: (at, ctx) => ago((now(ctx) - at.getTime()) / 60000),
};

function now(ctx) {
  return ctx.now ?? Date.now();
}

function nearDay(at, ctx) {
  const dayOf = (time) => DATES.date_num(new Date(time), ctx);
  const day = dayOf(at.getTime());
  const DAY = 86_400_000;
  return (
    { [dayOf(now(ctx))]: "today", [dayOf(now(ctx) - DAY)]: "yesterday", [dayOf(now(ctx) + DAY)]: "tomorrow" }[day] ??
    null
  );
}

function ago(minutes) {
  const [n, unit] =
    Math.abs(minutes) < 60
      ? [minutes, "minute"]
      : Math.abs(minutes) < 1440
        ? [minutes / 60, "hour"]
        : [minutes / 1440, "day"];
  return new Intl.RelativeTimeFormat("en").format(-Math.round(n), unit);
}
