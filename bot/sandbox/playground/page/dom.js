// Virtual nodes and their keyed update: what is on the screen keeps its focus, caret, half-typed words and scroll position.
// Only nodes are built here, never markup from text.

const PROPERTIES = new Set(["checked", "disabled", "hidden", "inert", "selected"]);

function flat(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "")
    .map((child) => (typeof child === "object" ? child : String(child)));
}

/** `h("button", {class: "primary", onclick: go}, "Go")` is a plan of an element; `key` says which of its siblings it is from one
    drawing to the next, `created` is called once with the element. `create` makes it, `patch` brings what is there in line. */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, key: props?.key, children: flat(children) };
}

/** Makes the children of `parent` (those made here) look like `children`. */
export function patch(parent, ...children) {
  const wanted = flat(children);
  const before = parent._nodes ?? [];
  const keyed = new Map(before.filter((node) => node._key !== undefined).map((node) => [node._key, node]));
  const unkeyed = before.filter((node) => node._key === undefined);
  const after = wanted.map((vnode) => reuse(vnode, keyed, unkeyed) ?? create(vnode));
  const staying = new Set(after);
  for (const node of before) if (!staying.has(node)) node.remove();
  place(parent, after);
  parent._nodes = after;
}

function place(parent, nodes) {
  let following = null;
  for (const node of [...nodes].reverse()) {
    if (node.parentNode !== parent || (following ? node.nextSibling !== following : hasOwnAfter(node))) {
      parent.insertBefore(node, following);
    }
    following = node;
  }
}

function hasOwnAfter(node) {
  const own = new Set(node.parentNode?._nodes ?? []);
  for (let next = node.nextSibling; next; next = next.nextSibling) if (own.has(next)) return true;
  return false;
}

function reuse(vnode, keyed, unkeyed) {
  if (vnode.key !== undefined) {
    const node = keyed.get(vnode.key);
    if (!node || node._tag !== vnode.tag) return null;
    keyed.delete(vnode.key);
    return update(node, vnode);
  }
  const tag = typeof vnode === "string" ? "#text" : vnode.tag;
  const at = unkeyed.findIndex((node) => node._tag === tag);
  return at < 0 ? null : update(unkeyed.splice(at, 1)[0], vnode);
}

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "rect", "line", "polyline", "g"]);

export function create(vnode) {
  if (typeof vnode === "string") return Object.assign(document.createTextNode(vnode), { _tag: "#text" });
  const node = SVG_TAGS.has(vnode.tag) ? document.createElementNS(SVG, vnode.tag) : document.createElement(vnode.tag);
  node._tag = vnode.tag;
  node._key = vnode.key;
  node._props = {};
  patch(node, vnode.children);
  setProps(node, vnode.props);
  vnode.props.created?.(node);
  return node;
}

function update(node, vnode) {
  if (typeof vnode === "string") {
    if (node.data !== vnode) node.data = vnode;
    return node;
  }
  patch(node, vnode.children);
  setProps(node, vnode.props);
  return node;
}

function setProps(node, props) {
  const before = node._props;
  node._props = props;
  for (const name of new Set([...Object.keys(before), ...Object.keys(props)])) {
    if (before[name] !== props[name]) setProp(node, name, before[name], props[name]);
  }
}

function setProp(node, name, before, value) {
  if (name === "key" || name === "created") return;
  if (name.startsWith("on")) listen(node, name.slice(2));
  else if (name === "style") Object.assign(node.style, value);
  else if (name === "value") setValue(node, before, value);
  else if (PROPERTIES.has(name)) node[name] = Boolean(value);
  else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** A field somebody is typing into is theirs until they leave it; and what did not change for us is left alone. */
function setValue(node, before, value) {
  const words = value ?? "";
  if (node === document.activeElement && before !== undefined && node.localName !== "select") return;
  if (node.value !== String(words)) node.value = words;
}

function listen(node, event) {
  node._listened ??= new Set();
  if (node._listened.has(event)) return;
  node._listened.add(event);
  node.addEventListener(event, (happened) => node._props[`on${event}`]?.(happened));
}
