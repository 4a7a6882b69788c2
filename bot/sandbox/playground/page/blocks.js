// The renderer: Slack's JSON of blocks, messages and views as nodes. Pure functions of the JSON and the context:
// {names, me, now, timeZone, values, errors, prefix, still, onAction, onFill, onSearch, onConfirm, onLink, onChannel, onThread ...}.

import { h } from "/page/dom.js";
import { renderElement } from "/page/elements.js";
import { dateWords, link, mrkdwn, nameOf, withEmoji, emojiNode } from "/page/mrkdwn.js";
import { markdown } from "/page/markdown.js";
import { picture, unknown } from "/page/picture.js";
import { richText } from "/page/richtext.js";
import { icon } from "/page/icons.js";

const FOLDS_OVER = 700; // characters: Slack folds longer sections

export function renderBlocks(blocks, ctx) {
  return (blocks ?? []).map((block, at) => renderBlock(block, ctx, at));
}

function renderBlock(block, ctx, at) {
  const draw = BLOCKS[block?.type];
  const key = block?.block_id ?? `${block?.type}${at}`;
  return h(
    "div",
    { key, class: `bk bk-${block?.type}`, "data-block": block?.block_id ?? null },
    draw ? draw(block, ctx) : unknown("block", block),
  );
}

export function text(part, ctx) {
  if (!part) return [];
  if (part.type === "plain_text")
    return part.text.split("\n").flatMap((line, at) => (at ? [h("br"), ...withEmoji(line)] : withEmoji(line)));
  if (part.type === "mrkdwn") return mrkdwn(part.text, ctx, { verbatim: part.verbatim === true });
  return [unknown("text", part)];
}

// -- blocks --------------------------------------------------------------------------------------------------------

function section(block, ctx) {
  const words = block.text && foldable(block, h("div", { class: "text" }, text(block.text, ctx)));
  const fields =
    block.fields &&
    h(
      "div",
      { class: "bk-fields" },
      block.fields.map((field) => h("div", { class: "text" }, text(field, ctx))),
    );
  const accessory =
    block.accessory &&
    h("div", { class: "bk-accessory" }, renderElement(block.accessory, { block, ctx, label: plainWords(block.text) }));
  return [h("div", { class: "bk-section-words" }, words, fields), accessory];
}

function foldable(block, node) {
  if (block.expand || block.text.text.length <= FOLDS_OVER) return node;
  const toggle = (event) => {
    const open = event.currentTarget.parentElement.classList.toggle("is-open");
    event.currentTarget.textContent = open ? "Show less" : "Show more";
    event.currentTarget.setAttribute("aria-expanded", String(open));
  };
  return h(
    "div",
    { class: "fold" },
    node,
    h("button", { class: "fold-button", type: "button", "aria-expanded": "false", onclick: toggle }, "Show more"),
  );
}

export function plainWords(part) {
  return part
    ? part.text
        .replace(/<([^<>|]+)\|([^<>]+)>/g, "$2")
        .replace(/[*_~`]/g, "")
        .slice(0, 80)
    : "";
}

function context(block, ctx) {
  return block.elements.map((part) =>
    part.type === "image" ? picture(part, ctx, "bk-context-image") : h("span", { class: "text" }, text(part, ctx)),
  );
}

function actions(block, ctx) {
  return block.elements
    .filter((element) => visibleTo(element, ctx))
    .map((element) => renderElement(element, { block, ctx, label: element.placeholder?.text }));
}

const visibleTo = (element, ctx) => !element.visible_to_user_ids || element.visible_to_user_ids.includes(ctx.me?.id);

function input(block, ctx) {
  const error = ctx.errors?.[block.block_id];
  const base = `${ctx.prefix ?? ""}${block.block_id}`;
  const told = [error && `${base}-error`, block.hint && `${base}-hint`].filter(Boolean).join(" ");
  const place = {
    block,
    ctx,
    label: block.label.text,
    labelledby: `${base}-label`,
    describedby: told || null,
    invalid: Boolean(error),
    required: !block.optional,
  };
  return h(
    "div",
    { class: `bk-input-box${error ? " has-error" : ""}` },
    h(
      "div",
      { class: "bk-label", id: `${base}-label` },
      withEmoji(block.label.text),
      block.optional && h("span", { class: "bk-optional" }, " (optional)"),
    ),
    renderElement(block.element, place),
    error && h("div", { class: "bk-error", id: `${base}-error`, role: "alert" }, error),
    block.hint && h("div", { class: "bk-hint", id: `${base}-hint` }, withEmoji(block.hint.text)),
  );
}

function image(block, ctx) {
  const file = block.slack_file ? { image_url: block.slack_file.url ?? "", alt_text: block.alt_text } : block;
  return h(
    "figure",
    { class: "bk-figure" },
    block.title && h("figcaption", {}, withEmoji(block.title.text)),
    picture(file, ctx),
  );
}

function table(block, ctx) {
  const align = (at) =>
    `is-${block.column_settings?.[at]?.align ?? "left"}${block.column_settings?.[at]?.is_wrapped ? " is-wrapped" : ""}`;
  const [head, ...body] = block.header ? [block.header, ...block.rows] : block.rows;
  const cell = (tag) => (one, at) =>
    h(tag, { class: align(at), scope: tag === "th" ? "col" : null }, cellWords(one, ctx));
  return h(
    "div",
    { class: "table-scroll", tabindex: 0, role: "region", "aria-label": block.caption ?? "Table" },
    h(
      "table",
      { class: "table" },
      block.caption && h("caption", {}, block.caption),
      h("thead", {}, h("tr", {}, head.map(cell("th")))),
      h(
        "tbody",
        {},
        body.map((row) => h("tr", {}, row.map(cell("td")))),
      ),
    ),
  );
}

function cellWords(cell, ctx) {
  if (cell.type === "rich_text") return richText(cell, ctx);
  if (cell.type === "raw_text" || cell.type === "raw_number") return String(cell.text ?? cell.value ?? "");
  return unknown("table cell", cell);
}

function video(block, ctx) {
  const title = h("strong", {}, withEmoji(block.title.text));
  return h(
    "figure",
    { class: "bk-figure" },
    h(
      "figcaption",
      {},
      block.title_url ? link(block.title_url, block.title.text, ctx) : title,
      block.description && h("div", {}, withEmoji(block.description.text)),
    ),
    h("span", { class: "bk-image is-drawn is-video", role: "img", "aria-label": block.alt_text }, icon("video")),
  );
}

const STATUS = { pending: "○", in_progress: "◐", complete: "✓", error: "!" };

function task(block, ctx) {
  const status = block.status ?? "pending";
  return h(
    "div",
    { class: `bk-task is-${status}` },
    h(
      "div",
      { class: "bk-task-title" },
      h("span", { class: "bk-task-sign", role: "img", "aria-label": status.replace("_", " ") }, STATUS[status]),
      block.title,
    ),
    block.details && h("div", { class: "text" }, richText(block.details, ctx)),
    block.output && h("div", { class: "text" }, richText(block.output, ctx)),
    block.sources?.length > 0 &&
      h(
        "div",
        { class: "bk-sources" },
        block.sources.map((source) => link(source.url, source.text, ctx)),
      ),
  );
}

function card(block, ctx) {
  return h(
    "div",
    { class: "bk-card-box" },
    block.hero_image && picture(block.hero_image, ctx),
    h(
      "div",
      { class: "bk-card-words" },
      block.icon && picture(block.icon, ctx, "bk-context-image"),
      ["title", "subtitle", "body", "subtext"]
        .filter((name) => block[name])
        .map((name) => h("div", { class: `bk-card-${name}` }, text(block[name], ctx))),
    ),
    block.actions &&
      h(
        "div",
        { class: "bk-actions" },
        block.actions.map((element) => renderElement(element, { block, ctx })),
      ),
  );
}

function container(block, ctx) {
  const title = block.rich_text_title ? richText(block.rich_text_title, ctx) : text(block.title, ctx);
  const children = renderBlocks(block.child_blocks, ctx);
  const subtitle = block.subtitle && h("div", { class: "bk-hint" }, text(block.subtitle, ctx));
  if (!block.is_collapsible)
    return h(
      "div",
      { class: "bk-container-box" },
      h("div", { class: "bk-container-title" }, title),
      subtitle,
      children,
    );
  return h(
    "details",
    { class: "bk-container-box", open: !block.default_collapsed },
    h("summary", { class: "bk-container-title" }, title),
    subtitle,
    children,
  );
}

const BLOCKS = {
  section,
  context,
  actions,
  input,
  image,
  table,
  video,
  card,
  container,
  data_table: table,
  context_actions: actions,
  task_card: task,
  header: (block) => h("h3", { class: `bk-heading level-${block.level ?? 1}` }, withEmoji(block.text.text)),
  divider: () => h("hr"),
  rich_text: (block, ctx) => h("div", { class: "text" }, richText(block, ctx)),
  markdown: (block, ctx) => h("div", { class: "text" }, markdown(block.text, ctx)),
  alert: (block, ctx) =>
    h("div", { class: `bk-alert-box is-${block.level ?? "default"}`, role: "note" }, text(block.text, ctx)),
  plan: (block, ctx) =>
    h(
      "div",
      { class: "bk-plan-box" },
      h("div", { class: "bk-container-title" }, block.title),
      (block.tasks ?? []).map((one) => task(one, ctx)),
    ),
  carousel: (block, ctx) =>
    h(
      "div",
      { class: "bk-carousel-row", tabindex: 0, role: "group", "aria-label": "Cards" },
      block.elements.map((one) => card(one, ctx)),
    ),
  file: (block) => h("div", { class: "bk-file-box" }, icon("reply"), block.external_id),
  call: (block) => h("div", { class: "bk-file-box" }, icon("video"), block.call?.v1?.name ?? "Call"),
  data_visualization: (block) =>
    h(
      "figure",
      { class: "bk-figure" },
      h("figcaption", {}, block.title),
      h("span", { class: "bk-image is-drawn", role: "img", "aria-label": block.title }),
    ),
};

// -- messages ------------------------------------------------------------------------------------------------------

export function renderAttachment(attachment, ctx) {
  const color = /^#?[0-9a-f]{6}$/i.test(attachment.color ?? "")
    ? `#${attachment.color.replace("#", "")}`
    : { good: "#2eb886", warning: "#daa038", danger: "#a30200" }[attachment.color];
  const title =
    attachment.title &&
    h(
      "div",
      { class: "att-title" },
      attachment.title_link ? link(attachment.title_link, attachment.title, ctx) : mrkdwn(attachment.title, ctx),
    );
  return h(
    "div",
    { class: "att", key: attachment.id ?? null },
    attachment.pretext && h("div", { class: "text" }, mrkdwn(attachment.pretext, ctx, { verbatim: false })),
    h(
      "div",
      { class: "att-body", style: color ? { borderLeftColor: color } : {} },
      attachment.author_name && h("div", { class: "att-author" }, attachment.author_name),
      title,
      attachment.text && h("div", { class: "text" }, mrkdwn(attachment.text, ctx, { verbatim: false })),
      attachment.fields?.length > 0 &&
        h(
          "div",
          { class: "att-fields" },
          attachment.fields.map((field) =>
            h(
              "div",
              { class: field.short ? "is-short" : "" },
              h("strong", {}, field.title),
              h("div", { class: "text" }, mrkdwn(field.value, ctx, { verbatim: false })),
            ),
          ),
        ),
      attachment.blocks && renderBlocks(attachment.blocks, ctx),
      attachment.image_url &&
        picture({ image_url: attachment.image_url, alt_text: attachment.fallback ?? "Picture" }, ctx),
      attachment.actions?.length > 0 &&
        h(
          "div",
          { class: "bk-actions" },
          attachment.actions.map((action) =>
            h("button", { class: "bk-button", type: "button" }, withEmoji(action.text)),
          ),
        ),
      (attachment.footer || attachment.ts) &&
        h(
          "div",
          { class: "att-footer" },
          withEmoji(attachment.footer ?? ""),
          attachment.ts && ` | ${dateWords(Number(attachment.ts), "{date_short_pretty} at {time}", ctx)}`,
        ),
    ),
  );
}

const COLOURS = ["#4a7ab5", "#3d8361", "#a35b8f", "#b06a2e", "#6a5fb0", "#2f8594"];

export function avatar(author, size = "") {
  const name = author?.name ?? "?";
  const sum = [...name].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  const background = author?.app ? (/datadog/i.test(name) ? "#632ca6" : "#c2571a") : COLOURS[sum % COLOURS.length];
  return h(
    "span",
    { class: `avatar ${size}${author?.app ? " is-app" : ""}`, style: { background }, "aria-hidden": "true" },
    name.slice(0, 1).toUpperCase(),
  );
}

function messageHead(message, ctx) {
  const { author } = message;
  return h(
    "div",
    { class: "msg-head" },
    h("span", { class: "msg-author" }, author.name),
    author.app && h("span", { class: "app-badge" }, "APP"),
    h(
      "time",
      {
        class: "msg-time",
        datetime: new Date(Number(message.ts) * 1000).toISOString(),
        title: dateWords(Number(message.ts), "{date_long} at {time_secs}", ctx),
      },
      dateWords(Number(message.ts), "{time}", ctx),
    ),
    message.edited && h("span", { class: "edited" }, "(edited)"),
  );
}

function body(message, ctx) {
  const edited = ctx.compact && message.edited && h("span", { class: "edited" }, " (edited)");
  const spoken =
    !message.blocks?.length &&
    message.text &&
    h("div", { class: "text" }, mrkdwn(message.text, ctx, { verbatim: false }));
  return [
    spoken,
    renderBlocks(message.blocks, ctx),
    (message.attachments ?? []).map((one) => renderAttachment(one, ctx)),
    edited,
  ];
}

function threadLine(message, ctx) {
  if (!message.reply_count || ctx.inThread) return null;
  const count = `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`;
  const authors = (ctx.repliers?.(message) ?? []).slice(0, 4).map((author) => avatar(author, "is-tiny"));
  const latest =
    message.latest_reply &&
    h(
      "span",
      { class: "thread-latest" },
      `Last reply ${dateWords(Number(message.latest_reply), "{date_short_pretty} at {time}", ctx)}`,
    );
  if (!ctx.onThread)
    return h("span", { class: "thread-line" }, authors, h("span", { class: "thread-count" }, count), latest);
  return h(
    "button",
    { class: "thread-line", type: "button", onclick: () => ctx.onThread(message) },
    authors,
    h("span", { class: "thread-count" }, count),
    latest,
  );
}

function reactions(message, ctx) {
  if (!message.reactions?.length) return null;
  return h(
    "div",
    { class: "reactions" },
    message.reactions.map((reaction) => {
      const mine = reaction.users.includes(ctx.me?.id);
      const who = reaction.users.map((id) => nameOf("users", id, ctx)).join(", ");
      return h(
        "button",
        {
          class: `reaction${mine ? " is-mine" : ""}`,
          type: "button",
          "aria-pressed": String(mine),
          title: who,
          "aria-label": `${reaction.name.replaceAll("_", " ")}, ${reaction.count}, by ${who}`,
          onclick: () => ctx.onReact?.(message, reaction.name),
        },
        emojiNode(reaction.name),
        h("span", {}, String(reaction.count)),
      );
    }),
  );
}

/** One message as people see it; `ctx.compact`: the one before is by the same author, a moment ago. */
export function renderMessage(message, ctx) {
  const own = { ...ctx, values: message.state?.values ?? ctx.values };
  const kind = `msg${ctx.compact ? " is-compact" : ""}${message.only_me ? " is-only-me" : ""}`;
  return h(
    "article",
    {
      key: message.ts,
      class: kind,
      "data-ts": message.ts,
      "data-channel": ctx.channel ?? null,
      tabindex: ctx.still ? null : 0,
      "aria-label": `${message.author.name}${message.only_me ? ", only visible to you" : ""}, ${dateWords(Number(message.ts), "{time}", ctx)}`,
    },
    message.only_me &&
      h("div", { class: "only-me" }, h("span", { "aria-hidden": "true" }, "👁 "), "Only visible to you"),
    message.subtype === "thread_broadcast" && h("div", { class: "only-me" }, "replied to a thread"),
    h(
      "div",
      { class: "msg-row" },
      ctx.compact
        ? h(
            "span",
            { class: "msg-side-time", "aria-hidden": "true" },
            dateWords(Number(message.ts), "{time}", ctx).replace(/ [AP]M$/, ""),
          )
        : avatar(message.author),
      h(
        "div",
        { class: "msg-main" },
        !ctx.compact && messageHead(message, ctx),
        h("div", { class: "msg-body" }, body(message, own)),
        reactions(message, ctx),
        threadLine(message, ctx),
      ),
    ),
    ctx.toolbar?.(message),
  );
}

// -- views ---------------------------------------------------------------------------------------------------------

/** What stands in a window or on the Home tab; the frame of a window is renderWindow's. */
export function renderView(view, ctx) {
  const own = { ...ctx, prefix: `${view.id}:`, values: view.state?.values, errors: view.errors };
  if (view.type === "home")
    return h(
      "div",
      { class: "home-view", key: view.id, "data-home": view.id, "data-view-id": view.id },
      renderBlocks(view.blocks, own),
    );
  if (view.type === "modal") return renderWindow(view, own);
  return unknown("view", view);
}

function renderWindow(view, ctx) {
  const title = `${view.id}-title`;
  const close = view.close?.text ?? "Cancel";
  const send = (event) => {
    event.preventDefault();
    if (!ctx.busy) ctx.onSubmit?.(view);
  };
  return h(
    "div",
    {
      key: view.id,
      class: "window",
      role: "dialog",
      "aria-labelledby": title,
      "aria-busy": ctx.busy ? "true" : null,
      "data-view-id": view.id,
      tabindex: -1,
    },
    h(
      "div",
      { class: "window-head" },
      view.previous_view_id &&
        h(
          "button",
          { class: "window-icon", type: "button", "aria-label": "Back", onclick: () => ctx.onBack?.(view) },
          icon("back"),
        ),
      h("h2", { id: title, class: "window-title" }, withEmoji(view.title.text)),
      h(
        "button",
        {
          class: "window-icon",
          type: "button",
          "aria-label": "Close",
          "data-close": "all",
          onclick: () => ctx.onCloseAll?.(view),
        },
        icon("close"),
      ),
    ),
    h(
      "form",
      { class: "window-form", novalidate: true, onsubmit: send },
      h(
        "div",
        { class: "window-body", tabindex: ctx.still ? null : 0, role: "group", "aria-labelledby": title },
        ctx.failed && h("div", { class: "window-failed", role: "alert" }, ctx.failed),
        renderBlocks(view.blocks, ctx),
      ),
      h(
        "div",
        { class: "window-foot" },
        h(
          "button",
          { class: "bk-button", type: "button", "data-close": "one", onclick: () => ctx.onBack?.(view) },
          close,
        ),
        view.submit &&
          h(
            "button",
            { class: "bk-button is-primary", type: "submit", "aria-disabled": ctx.busy ? "true" : null },
            ctx.busy ? h("span", { class: "spinner", "aria-hidden": "true" }) : null,
            view.submit.text,
          ),
      ),
    ),
  );
}

/** The question Slack asks before a click that has one. */
export function renderConfirm(confirm, { onyes, onno, ...ctx }) {
  const style = confirm.style === "danger" ? "is-danger" : "is-primary";
  return h(
    "div",
    {
      class: "window is-confirm",
      role: "alertdialog",
      "aria-labelledby": "confirm-title",
      "aria-describedby": "confirm-text",
      tabindex: -1,
    },
    h(
      "div",
      { class: "window-head" },
      h("h2", { class: "window-title", id: "confirm-title" }, withEmoji(confirm.title.text)),
    ),
    h("div", { class: "window-body", id: "confirm-text" }, h("div", { class: "text" }, text(confirm.text, ctx))),
    h(
      "div",
      { class: "window-foot" },
      h("button", { class: "bk-button", type: "button", "data-confirm": "no", onclick: onno }, confirm.deny.text),
      h(
        "button",
        { class: `bk-button ${style}`, type: "button", "data-confirm": "yes", onclick: onyes },
        confirm.confirm.text,
      ),
    ),
  );
}
