// Elements as one writes them down, and a way to bring what is on the screen in line with them
// without losing what a person is doing there: focus, typed words, opened details, scrolled lists.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "rect", "line", "g"]);

/** `h("button", {class: "primary", onclick: go}, "Go")`; `key` says which of its siblings an element is from one drawing to the next. */
export function h(tag, props, ...children) {
  const node = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  node.listeners = {};
  for (const [name, value] of Object.entries(props ?? {})) put(node, name, value);
  node.append(...flat(children));
  if (tag === "select" && "value" in (props ?? {})) node.value = props.value;
  return node;
}

function put(node, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) listen(node, name, value);
  else if (name === "key") node.key = String(value);
  else if (name === "value") setValue(node, value);
  else if (name === "checked") setChecked(node);
  else node.setAttribute(name, value === true ? "" : value);
}

// what a person may change in a field is a property; the attribute keeps what was drawn, to see whether it changed since
function setValue(node, value) {
  node.setAttribute(node.localName === "option" || node.localName === "input" ? "value" : "data-value", value);
  node.value = value;
}

function setChecked(node) {
  node.setAttribute("checked", "");
  node.checked = true;
}

function listen(node, name, handler) {
  node.listeners[name] = handler;
  node.addEventListener(name.slice(2), heard);
}

function heard(event) {
  return this.listeners[`on${event.type}`]?.call(this, event);
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** Makes these the children of the element, keeping the elements that are there where they mean the same. */
export function patch(element, ...children) {
  const wanted = flat(children).map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
  patchChildren(element, wanted);
  return element;
}

function patchChildren(element, wanted) {
  const keyed = new Map();
  const plain = [];
  for (const child of element.childNodes) child.key === undefined ? plain.push(child) : keyed.set(child.key, child);
  const children = wanted.map((next) => kept(next, next.key === undefined ? take(plain, next) : keyed.get(next.key)));
  const staying = new Set(children);
  for (const child of [...element.childNodes]) if (!staying.has(child)) child.remove();
  children.forEach((child, index) => {
    if (element.childNodes[index] !== child) element.insertBefore(child, element.childNodes[index] ?? null);
  });
}

function kept(next, known) {
  if (known === undefined || known.nodeName !== next.nodeName) return next;
  if (known !== next) renew(known, next);
  return known;
}

function take(plain, next) {
  const index = plain.findIndex((child) => child.nodeName === next.nodeName);
  return index < 0 ? undefined : plain.splice(index, 1)[0];
}

function renew(known, next) {
  if (known.nodeType !== Node.ELEMENT_NODE) {
    if (known.data !== next.data) known.data = next.data;
    return;
  }
  const before = drawn(known);
  renewAttributes(known, next);
  renewListeners(known, next);
  patchChildren(known, [...next.childNodes]);
  renewValue(known, next, before);
}

// an opened <details> stays as its reader left it
const theirs = (node, name) => name === "open" && node.localName === "details";

function renewAttributes(known, next) {
  for (const { name } of [...known.attributes]) {
    if (!next.hasAttribute(name) && !theirs(known, name)) known.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (known.getAttribute(name) !== value && !theirs(known, name)) known.setAttribute(name, value);
  }
}

function renewListeners(known, next) {
  for (const name of Object.keys(next.listeners ?? {})) known.addEventListener(name.slice(2), heard);
  known.listeners = next.listeners ?? {};
}

const drawn = (node) => [node.getAttribute("value"), node.getAttribute("data-value"), node.hasAttribute("checked")].join("\n");

function renewValue(known, next, before) {
  if (drawn(next) === before || !("value" in known)) return;
  if (next.hasAttribute("value") || next.hasAttribute("data-value")) known.value = next.value;
  if (known.localName === "input") known.checked = next.checked;
}
