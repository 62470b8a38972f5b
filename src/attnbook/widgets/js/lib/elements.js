// Making elements, and the controls that the keyboard reaches.

const SVG = /^(svg|g|path|circle|text|polyline)$/;

// h("p.note", {role: "status"}, "text", child): a paragraph of class ab-note. Attributes may be left out.
export function h(name, attributes, ...children) {
  const [tag, kind] = name.split(".");
  const node = SVG.test(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag || "div");
  if (attributes?.constructor === Object) set(node, attributes);
  else children.unshift(attributes);
  if (kind) node.classList.add(...kind.split(" ").map((one) => `ab-${one}`));
  node.append(...children.flat(3).filter((child) => child != null && child !== false));
  return node;
}

// Attributes by name; true writes an empty one, false, null and undefined remove it; on… adds a listener.
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === false || value == null) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value === true ? "" : value);
  }
  return node;
}

// Writing the same text again would cost a layout.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// A control: reached with the arrow keys inside the widget's one tab stop. `arrows` marks a control that wants
// the arrow keys for itself once Enter has picked it up.
export const stop = (node, arrows) => set(node, { "data-stop": arrows ? "arrows" : "", tabindex: -1 });

export const button = (text, onclick, more) => stop(h("button", { type: "button", onclick, ...more }, text));

// A slider that takes the arrow keys once picked up.
export const slider = (min, max, step, oninput, more) =>
  stop(h("input", { type: "range", min, max, step, oninput, ...more }), 1);

export const select = (options, more) =>
  stop(
    h(
      "select",
      more || {},
      options.map(([value, text]) => h("option", { value }, text)),
    ),
    1,
  );
