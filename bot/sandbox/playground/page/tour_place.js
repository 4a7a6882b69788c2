// Where the tour's card stands: beside what it speaks of, within the window, never over it where there is room.

const GAP = 14;
const EDGE = 8;

/** `rect` is that of the thing; without one the card stands in the middle. */
export function place(card, light, rect) {
  light.hidden = !rect;
  if (rect) frame(light, rect);
  const { width, height } = card.getBoundingClientRect();
  const [left, top] = rect ? beside(rect, width, height) : [(innerWidth - width) / 2, (innerHeight - height) / 3];
  move(card, clamp(left, innerWidth - width), clamp(top, innerHeight - height));
}

function frame(light, rect) {
  const [left, top] = [Math.max(rect.left - 6, 2), Math.max(rect.top - 6, 2)];
  const right = Math.min(rect.right + 6, innerWidth - 2);
  const bottom = Math.min(rect.bottom + 6, innerHeight - 2);
  move(light, left, top);
  set(light, "width", right - left);
  set(light, "height", bottom - top);
}

function beside(rect, width, height) {
  const level = rect.top + Math.min(rect.height, innerHeight) / 2 - height / 2;
  const centre = rect.left + rect.width / 2 - width / 2;
  const sides = [
    { room: innerWidth - rect.right - width, at: [rect.right + GAP, level] },
    { room: rect.left - width, at: [rect.left - GAP - width, level] },
    { room: innerHeight - rect.bottom - height, at: [centre, rect.bottom + GAP] },
    { room: rect.top - height, at: [centre, rect.top - GAP - height] },
  ];
  const fitting = sides.find((side) => side.room > GAP + EDGE);
  // nowhere is room: at that end of the window where least of the thing is
  return fitting ? fitting.at : [centre, rect.top + rect.height / 2 < innerHeight / 2 ? innerHeight : 0];
}

const clamp = (value, most) => Math.max(EDGE, Math.min(value, most - EDGE));

function move(element, left, top) {
  set(element, "left", left);
  set(element, "top", top);
}

function set(element, name, value) {
  const pixels = `${Math.round(value)}px`;
  if (element.style[name] !== pixels) element.style[name] = pixels;
}
