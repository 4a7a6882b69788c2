// Cases as Datadog keeps them; what is changed here is changed by somebody who sits in Datadog, not in Slack.

import { h } from "/page/dom.js";
import { copyButton, field, pill, select, timeTag } from "/page/parts.js";

const STATUSES = ["Open", "In Progress", "Closed"];
const PRIORITIES = ["P1", "P2", "P3", "P4", "P5", "NOT_DEFINED"];
const NOBODY = { id: "", name: "Nobody" };

export function casesPanel(page) {
  const { cases, projects } = page.datadog;
  return [
    h(
      "p",
      { class: "facts", key: "projects" },
      "Projects: ",
      projects.map((project) => h("span", { key: project.id, class: "chip" }, `${project.key} · ${project.name}`)),
    ),
    cases.length
      ? h(
          "ul",
          { class: "cards", key: "cases" },
          cases.map((one) => caseCard(page, one)),
        )
      : h("p", { class: "empty", key: "none" }, "No cases yet: press Create case under the conclusions in Slack."),
  ];
}

const tone = (status) => (/closed|complet|cancel|declin/i.test(status) ? "ok" : /open/i.test(status) ? "warn" : "busy");

export const priorityName = (priority) => (priority === "NOT_DEFINED" ? "No priority" : priority);

function caseCard(page, one) {
  return h(
    "li",
    { class: "card case", key: one.id, "data-case": one.key },
    h(
      "div",
      { class: "card-head" },
      h("span", { class: "case-key" }, one.key),
      h("strong", { class: "card-title" }, one.title),
      pill(one.status, tone(one.status)),
      one.archived ? pill("Archived") : null,
    ),
    h("div", { class: "case-fields" }, fields(page, one)),
    insights(page, one),
    comments(page, one),
    tickets(page, one),
    one.link ? h("div", { class: "row row-buttons" }, copyButton(page, one.link, one.key)) : null,
  );
}

function fields(page, one) {
  const statuses = withCurrent(one.statuses ?? STATUSES, one.status);
  const people = [NOBODY, ...page.datadog.users];
  const assignee = page.datadog.users.find(
    (user) => user.id === one.assignee?.id || user.id === one.assignee || user.name === one.assignee,
  );
  return [
    changer(
      page,
      one,
      "Status",
      "status",
      statuses.map((name) => ({ id: name, name })),
      one.status,
    ),
    changer(
      page,
      one,
      "Priority",
      "priority",
      PRIORITIES.map((id) => ({ id, name: priorityName(id) })),
      one.priority,
    ),
    changer(page, one, "Assignee", "assignee", people, assignee?.id ?? ""),
  ];
}

const withCurrent = (names, current) => (names.includes(current) ? names : [current, ...names]);

function changer({ act }, one, label, what, options, value) {
  const change = async (event) => {
    const control = event.target;
    if (
      !(await act(
        "case_change",
        { case: one.id, [what]: control.value },
        `${one.key}: ${label.toLowerCase()} changed.`,
      ))
    )
      control.value = value;
  };
  return field(label, select(options, value, change, { name: what, "aria-label": `${label} of ${one.key}` }));
}

function insights(page, one) {
  const add = onSubmit("insight", (link) =>
    page.act("case_change", { case: one.id, insight: link }, `${one.key}: insight added.`),
  );
  return h(
    "details",
    { class: "part", key: "insights", open: one.insights.length > 0 },
    h("summary", {}, `Insights (${one.insights.length})`),
    one.insights.length
      ? h(
          "ul",
          { class: "lines" },
          one.insights.map((insight) =>
            h(
              "li",
              { key: `${insight.type} ${insight.resource_id}`, "data-insight": insight.type },
              pill(typeName(insight.type)),
              " ",
              nameOf(page.datadog, insight),
            ),
          ),
        )
      : h("p", { class: "empty" }, "None."),
    adding(add, "insight", `Link to attach to ${one.key}`, "Paste a Datadog link", "Attach"),
  );
}

/** What it is called where Datadog's pane knows it; else its page, or its id. */
function nameOf({ monitors, incidents }, { resource_id: id, title }) {
  const known = [...monitors, ...incidents].find((one) => String(one.id) === id || one.link?.endsWith(title));
  return known?.name ?? known?.title ?? h("code", {}, title || id);
}

const typeName = (type) => type.toLowerCase().replaceAll("_", " ");

function comments(page, one) {
  const add = onSubmit("comment", (text) =>
    page.act("case_change", { case: one.id, comment: text }, `${one.key}: comment added.`),
  );
  return h(
    "details",
    { class: "part", key: "comments" },
    h("summary", {}, `Comments (${one.comments.length})`),
    h(
      "ol",
      { class: "comments" },
      one.comments.map((comment, index) =>
        h(
          "li",
          { key: index },
          h("p", { class: "facts" }, h("strong", {}, comment.author), " ", comment.at ? timeTag(comment.at) : null),
          h("pre", { class: "prose" }, comment.text),
        ),
      ),
    ),
    adding(add, "comment", `Comment on ${one.key}`, "Write a comment", "Comment"),
  );
}

function tickets(page, one) {
  const add = onSubmit("ticket", (link) =>
    page.act("case_change", { case: one.id, ticket: link }, `${one.key}: ticket linked.`),
  );
  return h(
    "details",
    { class: "part", key: "tickets", open: one.tickets.length > 0 },
    h("summary", {}, `Tickets (${one.tickets.length})`),
    h(
      "ul",
      { class: "lines" },
      one.tickets.map((ticket) => h("li", { key: ticket.kind }, ticketName(ticket))),
    ),
    adding(add, "ticket", `Jira issue for ${one.key}`, "Paste the link of a Jira issue", "Link"),
  );
}

const TICKETS = { jira_issue: "Jira", service_now_ticket: "ServiceNow" };

function ticketName({ kind, status, result }) {
  const name = result?.issue_key ?? result?.sys_id ?? "";
  return [TICKETS[kind] ?? kind, name, status?.toLowerCase().replaceAll("_", " ")].filter(Boolean).join(" · ");
}

function adding(onsubmit, name, label, placeholder, button) {
  return h(
    "form",
    { class: "row adding", onsubmit },
    h("input", { type: "text", name, required: true, autocomplete: "off", placeholder, "aria-label": label }),
    h("button", { type: "submit", class: "button is-small" }, button),
  );
}

/** Empties the field only when what stood there arrived. */
function onSubmit(name, send) {
  return async (event) => {
    event.preventDefault();
    const control = event.target.elements[name];
    if (control.value.trim() && (await send(control.value.trim()))) control.value = "";
  };
}
