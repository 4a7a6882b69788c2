// Block Kit's elements: what one can click, choose and fill in. What a person does is told to the context, never kept here.

import { h } from "/page/dom.js";
import { withEmoji, mrkdwn, follow } from "/page/mrkdwn.js";
import { openList, openMenu } from "/page/popover.js";
import { icon } from "/page/icons.js";
import { picture, unknown } from "/page/picture.js";

const SEARCH_AFTER_MS = 200; // nobody is asked about every letter

const FIELDS = {
  plain_text_input: ["value", "initial_value"],
  email_text_input: ["value", "initial_value"],
  url_text_input: ["value", "initial_value"],
  number_input: ["value", "initial_value"],
  rich_text_input: ["rich_text_value", "initial_value"],
  static_select: ["selected_option", "initial_option"],
  external_select: ["selected_option", "initial_option"],
  radio_buttons: ["selected_option", "initial_option"],
  checkboxes: ["selected_options", "initial_options"],
  multi_static_select: ["selected_options", "initial_options"],
  multi_external_select: ["selected_options", "initial_options"],
  users_select: ["selected_user", "initial_user"],
  multi_users_select: ["selected_users", "initial_users"],
  conversations_select: ["selected_conversation", "initial_conversation"],
  multi_conversations_select: ["selected_conversations", "initial_conversations"],
  channels_select: ["selected_channel", "initial_channel"],
  multi_channels_select: ["selected_channels", "initial_channels"],
  datepicker: ["selected_date", "initial_date"],
  timepicker: ["selected_time", "initial_time"],
  datetimepicker: ["selected_date_time", "initial_date_time"],
  file_input: ["files", null],
};

/** `place`: {block, ctx, labelledby, describedby, label, invalid}. */
export function renderElement(element, place) {
  const draw = ELEMENTS[element?.type];
  return draw ? draw(element, place) : unknown("element", element);
}

function current(element, { block, ctx }) {
  const [field, initial] = FIELDS[element.type];
  const kept = ctx.values?.[block.block_id]?.[element.action_id];
  if (kept && field in kept) return kept[field];
  return element[initial] ?? null;
}

/** Tells what was chosen or typed: an action of its own, or only what now stands in the form. */
async function tell(element, place, value, { dispatch = true } = {}) {
  const { block, ctx } = place;
  const payload = {
    block_id: block.block_id,
    action_id: element.action_id,
    element_type: element.type,
    value: { type: element.type, ...value },
  };
  const isField = block.type === "input";
  if (isField && !(block.dispatch_action && dispatch)) return ctx.onFill?.(payload);
  if (element.confirm && !(await ctx.onConfirm?.(element.confirm))) return null;
  return ctx.onAction?.(payload);
}

function ids(element, place) {
  return { "data-block-id": place.block.block_id, "data-action-id": element.action_id };
}

function labels(place) {
  return {
    "aria-labelledby": place.labelledby ?? null,
    "aria-label": place.labelledby ? null : (place.label ?? null),
    "aria-describedby": place.describedby ?? null,
    "aria-invalid": place.invalid ? "true" : null,
    "aria-required": place.required ? "true" : null,
  };
}

// -- buttons -------------------------------------------------------------------------------------------------------

async function press(event, element, { block, ctx }) {
  if (element.confirm && !(await ctx.onConfirm?.(element.confirm))) return;
  ctx.onAction?.({
    block_id: block.block_id,
    action_id: element.action_id,
    element_type: element.type,
    value: element.value === undefined ? {} : { value: element.value },
    url: element.url,
  });
}

function button(element, place) {
  const style = element.style ? ` is-${element.style}` : "";
  const props = {
    ...ids(element, place),
    class: `bk-button${style}`,
    "aria-label": element.accessibility_label ?? null,
    onclick: (event) => clicked(event, element, place),
  };
  const words = h("span", { class: "bk-button-words" }, withEmoji(element.text.text));
  if (!element.url) return h("button", { ...props, type: "button" }, words);
  return h("a", { ...props, href: element.url, target: "_blank", rel: "noreferrer noopener" }, words);
}

function clicked(event, element, place) {
  if (element.url) follow(event, element.url, place.ctx);
  return press(event, element, place);
}

function feedback(element, place) {
  const one = (name, sign) => {
    const option = element[name];
    return h(
      "button",
      {
        ...ids(element, place),
        class: "bk-icon-button",
        type: "button",
        "data-value": option.value,
        title: option.text.text,
        "aria-label": option.accessibility_label ?? option.text.text,
        "aria-pressed": "false",
        onclick: (event) => {
          for (const each of event.currentTarget.parentElement.children)
            each.setAttribute("aria-pressed", String(each === event.currentTarget));
          place.ctx.onAction?.({
            block_id: place.block.block_id,
            action_id: element.action_id,
            element_type: element.type,
            value: { text: option.text, value: option.value },
          });
        },
      },
      icon(sign),
    );
  };
  return h(
    "span",
    { class: "bk-feedback", role: "group", "aria-label": "Feedback" },
    one("positive_button", "up"),
    one("negative_button", "down"),
  );
}

function iconButton(element, place) {
  return h(
    "button",
    {
      ...ids(element, place),
      class: "bk-icon-button",
      type: "button",
      title: element.text.text,
      "aria-label": element.accessibility_label ?? element.text.text,
      onclick: (event) => press(event, element, place),
    },
    icon(element.icon),
  );
}

function overflow(element, place) {
  const choose = (option) => {
    if (option.url) place.ctx.onLink?.(option.url);
    return tell(element, place, { selected_option: option });
  };
  const items = element.options.map((option) => ({
    label: option.text.text,
    description: option.description?.text,
    run: () => choose(option),
  }));
  return h(
    "button",
    {
      ...ids(element, place),
      class: "bk-button is-overflow",
      type: "button",
      "aria-label": "More options",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      onclick: (event) => openMenu(event.currentTarget, items, { label: "More options" }),
    },
    icon("more"),
  );
}

// -- selects -------------------------------------------------------------------------------------------------------

const optionWords = (option) => ({
  label: option.text.text,
  description: option.description?.text,
  value: option.value,
  option,
});

function listed(element) {
  if (element.option_groups)
    return element.option_groups.map((group) => ({ label: group.label.text, options: group.options.map(optionWords) }));
  return [{ options: (element.options ?? []).map(optionWords) }];
}

function matching(groups, words) {
  const wanted = words.trim().toLowerCase();
  const kept = groups.map((group) => ({
    ...group,
    options: group.options.filter((one) => `${one.label} ${one.description ?? ""}`.toLowerCase().includes(wanted)),
  }));
  return kept.filter((group) => group.options.length);
}

const SOURCES = {
  static: (element) => (words) => matching(listed(element), words),
  external: (element, place) => async (words, stillWanted) => {
    if (words.length < (element.min_query_length ?? 3)) return [];
    if (words)
      await new Promise((resolve) => {
        setTimeout(resolve, SEARCH_AFTER_MS);
      });
    if (!stillWanted()) return [];
    const found = await place.ctx.onSearch?.({
      block_id: place.block.block_id,
      action_id: element.action_id,
      text: words,
    });
    return listed(found ?? { options: [] });
  },
  users:
    (_element, { ctx }) =>
    (words) =>
      matching([{ options: named(ctx.names?.users, "@") }], words),
  channels:
    (_element, { ctx }) =>
    (words) =>
      matching([{ options: named(ctx.names?.channels, "#") }], words),
  conversations:
    (element, { ctx }) =>
    (words) =>
      matching(conversations(element, ctx), words),
};

function conversations(element, ctx) {
  const wanted = element.filter?.include;
  const known =
    ctx.channels ?? Object.entries(ctx.names?.channels ?? {}).map(([id, name]) => ({ id, name, kind: "public" }));
  const shown = known.filter((one) => !wanted || wanted.includes(one.kind));
  return [{ options: shown.map((one) => ({ label: `${one.kind === "im" ? "" : "#"}${one.name}`, value: one.id })) }];
}

const named = (names, sign) =>
  Object.entries(names ?? {}).map(([id, name]) => ({ label: `${sign}${name}`, value: id }));

function select(element, place) {
  const source = element.type.replace(/^multi_/, "").replace(/_select$/, "");
  const many = element.type.startsWith("multi_");
  const [field] = FIELDS[element.type];
  const value = current(element, place);
  const picked = many ? (value ?? []) : value ? [value] : [];
  const known = new Map(picked.map((one) => [valueOf(one), one]));
  const choose = (option, values) => {
    if (option.option) known.set(option.value, option.option);
    const pick = (name) => (source === "static" || source === "external" ? known.get(name) : name);
    tell(element, place, { [field]: many ? values.map(pick) : pick(option.value) });
  };
  const open = (event) =>
    openList(event.currentTarget.closest(".bk-select").querySelector(".bk-select-button"), {
      label: element.placeholder?.text ?? place.label ?? "Select an option",
      find: SOURCES[source](element, place),
      chosen: picked.map(valueOf),
      many,
      onchoose: choose,
      hint:
        source === "external" && (element.min_query_length ?? 3) > 0
          ? `Type at least ${element.min_query_length ?? 3} characters, or nothing matches`
          : "",
    });
  const words = picked.map((one) => wordsOf(one, source, place.ctx));
  const shown = words.length
    ? words.map((one) => h("span", { class: many ? "bk-chip" : "bk-chosen" }, one))
    : h(
        "span",
        { class: "bk-placeholder" },
        element.placeholder?.text ?? (many ? "Select options" : "Select an option"),
      );
  const clear = !many && picked.length > 0 && place.block.type === "input" && place.block.optional;
  return h(
    "span",
    { class: `bk-select${place.block.type === "input" ? " is-wide" : ""}` },
    h(
      "button",
      {
        ...ids(element, place),
        ...nameOfSelect(place, words, element),
        class: "bk-select-button",
        type: "button",
        "aria-haspopup": "listbox",
        "aria-expanded": "false",
        onclick: open,
        onkeydown: (event) => {
          if (event.key === "ArrowDown") {
            event.preventDefault();
            open(event);
          }
        },
      },
      h("span", { class: "bk-select-words" }, shown),
      h("span", { class: "bk-select-arrow", "aria-hidden": "true" }, "⌄"),
    ),
    clear &&
      h(
        "button",
        {
          class: "bk-clear",
          type: "button",
          "aria-label": `Clear ${place.label ?? "selection"}`,
          onclick: () => tell(element, place, { [field]: null }),
        },
        "×",
      ),
  );
}

/** A button's own words would hide its label from a screen reader, so both are said. */
function nameOfSelect(place, words, element) {
  const value = words.join(", ") || element.placeholder?.text || "nothing selected";
  const told = labels(place);
  return {
    ...told,
    "aria-invalid": null,
    "aria-required": null,
    "aria-labelledby": null,
    "aria-label": `${place.label ? `${place.label}: ` : ""}${value}`,
    "data-invalid": place.invalid ? "true" : null,
  };
}

const valueOf = (one) => (typeof one === "string" ? one : one.value);

function wordsOf(one, source, ctx) {
  if (typeof one !== "string") return one.text.text;
  if (source === "users") return ctx.names?.users?.[one] ?? one;
  const channel = ctx.channels?.find((other) => other.id === one);
  return channel?.kind === "im" ? channel.name : `#${ctx.names?.channels?.[one] ?? one}`;
}

// -- boxes, dates --------------------------------------------------------------------------------------------------

const richWords = (text, ctx) => (text.type === "mrkdwn" ? mrkdwn(text.text, ctx) : withEmoji(text.text));

function choices(element, place) {
  const many = element.type === "checkboxes";
  const [field] = FIELDS[element.type];
  const value = current(element, place);
  const picked = new Set(many ? (value ?? []).map((one) => one.value) : value ? [value.value] : []);
  const choose = (option, on) => {
    if (!many) return tell(element, place, { [field]: option });
    if (on) picked.add(option.value);
    else picked.delete(option.value);
    return tell(element, place, { [field]: element.options.filter((one) => picked.has(one.value)) });
  };
  const name = `${place.ctx.prefix ?? ""}${place.block.block_id}/${element.action_id}`;
  const line = (option) =>
    h(
      "label",
      { class: "bk-choice", key: option.value },
      h("input", {
        type: many ? "checkbox" : "radio",
        name,
        value: option.value,
        checked: picked.has(option.value),
        ...ids(element, place),
        onchange: (event) => choose(option, event.target.checked),
      }),
      h(
        "span",
        { class: "bk-choice-words" },
        h("span", {}, richWords(option.text, place.ctx)),
        option.description && h("span", { class: "bk-choice-more" }, richWords(option.description, place.ctx)),
      ),
    );
  const { "aria-invalid": _invalid, "aria-required": required, ...told } = labels(place);
  return h(
    "div",
    { class: "bk-choices", role: many ? "group" : "radiogroup", ...told, "aria-required": many ? null : required },
    element.options.map(line),
  );
}

function picker(type, pack, unpack) {
  return (element, place) => {
    const [field] = FIELDS[element.type];
    const value = current(element, place);
    return h("input", {
      ...ids(element, place),
      ...labels(place),
      class: "bk-picker",
      type,
      value: value === null ? "" : unpack(value),
      title: element.placeholder?.text ?? null,
      onchange: (event) => tell(element, place, { [field]: event.target.value ? pack(event.target.value) : null }),
    });
  };
}

const same = (value) => value;
const localMinute = (stamp) => {
  const at = new Date(stamp * 1000);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
};

// -- fields to type into -------------------------------------------------------------------------------------------

const waiting = new Map(); // what was typed a moment ago and is not told yet, by field

function later(key, run) {
  clearTimeout(waiting.get(key)?.timer);
  const go = () => {
    waiting.delete(key);
    run();
  };
  waiting.set(key, { timer: setTimeout(go, 250), go });
}

/** Tells what was typed and not told yet: before a form is sent, the server knows all that stands in it. */
export function tellTyped() {
  for (const { timer, go } of [...waiting.values()]) {
    clearTimeout(timer);
    go();
  }
}

const triggers = (element) => element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];

function textField(
  element,
  place,
  { tag = "input", type = "text", extra = {}, pack = (words) => ({ value: words || null }), unpack = same } = {},
) {
  const key = `${place.ctx.prefix ?? ""}${place.block.block_id}/${element.action_id}`;
  const onCharacter = triggers(element).includes("on_character_entered");
  const say = (words, dispatch) => tell(element, place, pack(words), { dispatch });
  return h(tag, {
    ...ids(element, place),
    ...labels(place),
    class: "bk-field",
    type: tag === "input" ? type : null,
    placeholder: element.placeholder?.text ?? null,
    value: unpack(current(element, place)) ?? "",
    autocomplete: "off",
    rows: tag === "textarea" ? (element.min_lines ?? 4) : null,
    ...extra,
    oninput: (event) => {
      const words = event.target.value;
      later(key, () => say(words, onCharacter));
    },
    onblur: () => {
      const typed = waiting.get(key);
      if (typed) {
        clearTimeout(typed.timer);
        typed.go();
      }
    },
    onkeydown: (event) => enterPressed(event, element, place, say),
    created: element.focus_on_load ? (node) => setTimeout(() => node.focus(), 0) : null,
  });
}

function enterPressed(event, element, place, say) {
  if (
    event.key !== "Enter" ||
    event.isComposing ||
    (event.target.localName === "textarea" && !event.metaKey && !event.ctrlKey)
  )
    return;
  if (!place.block.dispatch_action || !triggers(element).includes("on_enter_pressed")) return;
  event.preventDefault();
  tellTyped();
  say(event.target.value, true);
}

const asRichText = (words) => ({
  rich_text_value: words
    ? { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text: words }] }] }
    : null,
});
const fromRichText = (value) =>
  (value?.elements ?? [])
    .map((part) =>
      (part.elements ?? [])
        .map((leaf) => leaf.text ?? leaf.url ?? leaf.elements?.map((inner) => inner.text ?? "").join("") ?? "")
        .join(""),
    )
    .join("\n");

function fileInput(element, place) {
  const files = current(element, place) ?? [];
  const take = (event) =>
    tell(element, place, {
      files: [...event.target.files]
        .slice(0, element.max_files ?? 10)
        .map((file, at) => ({ id: `F${Date.now()}${at}`, name: file.name, size: file.size })),
    });
  return h(
    "span",
    { class: "bk-files" },
    h("input", {
      ...ids(element, place),
      ...labels(place),
      type: "file",
      multiple: (element.max_files ?? 10) > 1,
      accept: element.filetypes?.map((one) => `.${one}`).join(",") ?? null,
      onchange: take,
    }),
    files.map((file) => h("span", { class: "bk-chip" }, file.name)),
  );
}

const ELEMENTS = {
  button,
  overflow,
  workflow_button: button,
  image: (element, { ctx }) => picture(element, ctx, "bk-thumb"),
  feedback_buttons: feedback,
  icon_button: iconButton,
  checkboxes: choices,
  radio_buttons: choices,
  datepicker: picker("date", same, same),
  timepicker: picker("time", same, same),
  datetimepicker: picker("datetime-local", (words) => Math.floor(new Date(words).getTime() / 1000), localMinute),
  plain_text_input: (element, place) => textField(element, place, element.multiline ? { tag: "textarea" } : {}),
  email_text_input: (element, place) => textField(element, place, { type: "email" }),
  url_text_input: (element, place) => textField(element, place, { type: "url" }),
  number_input: (element, place) =>
    textField(element, place, { extra: { inputmode: element.is_decimal_allowed ? "decimal" : "numeric" } }),
  rich_text_input: (element, place) =>
    textField(element, place, { tag: "textarea", pack: asRichText, unpack: fromRichText }),
  file_input: fileInput,
};
for (const source of Object.keys(SOURCES)) {
  ELEMENTS[`${source}_select`] = select;
  ELEMENTS[`multi_${source}_select`] = select;
}
