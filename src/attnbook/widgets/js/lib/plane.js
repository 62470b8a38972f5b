// A square of the plane with vectors that a hand or the arrow keys move.

import { h, set, stop } from "./elements.js";
import { fixed } from "./numbers.js";

const HALF = 160; // pixels from the origin to the edge, before the drawing is scaled

// Shape of a handle, so that colour is never alone: circle, square, diamond; a triangle for a word.
const SHAPES = {
  query: "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0z",
  key: "M-6-6h12v12h-12z",
  value: "M0-8l8 8l-8 8l-8-8z",
  x: "M0-9l8 14h-16z",
};

// A place in pixels, as SVG writes it.
export const spot = (x, y) => `${x.toFixed(1)} ${y.toFixed(1)}`;

// A shaft from the origin and a head that ends where the handle begins: one attribute a frame.
export function arrow(x, y, head = 9) {
  const length = Math.hypot(x, y);
  const tip = length - 8;
  if (tip < 2) return `M0 0L${spot(x, y)}`;
  const at = (along, across) => spot((x * along - y * across) / length, (y * along + x * across) / length);
  const back = Math.max(0, tip - head);
  return `M0 0L${at(back, 0)}M${at(tip, 0)}L${at(back, head / 2)}L${at(back, -head / 2)}z`;
}

// A label beside a point at (x, y), on the side with room; the label is drawn relative to the point.
export function beside(node, x, y) {
  const left = x > -HALF / 2 && (x < 0 || x > HALF * 0.55);
  set(node, { x: left ? -12 : 12, y: y > 0 ? 18 : -10, "text-anchor": left ? "end" : "start" });
}

// things(): [{kind, index, name, label, vector}]; move(kind, index, [x, y]); more(group, pixelsPerUnit) draws what
// belongs to the plane beside the vectors.
export function plane(view, title, things, move, more) {
  const [grid, extra, arrows, handles] = [0, 0, 0, 0].map(() => h("g"));
  grid.classList.add("ab-grid");
  const svg = h(
    "svg.plane",
    { viewBox: `${-HALF} ${-HALF} ${2 * HALF} ${2 * HALF}`, role: "group", "aria-label": title },
    grid,
    arrows,
    extra,
    handles,
  );
  let [marks, span, drawn, dragged] = [[], 0, 0];
  const fit = () => {
    const most = Math.max(0.5, ...things().flatMap(({ vector }) => vector.slice(0, 2).map(Math.abs)));
    if (most <= span * 0.97 && most > span * 0.3) return;
    span = most * 1.3;
    const step = [0.2, 0.5, 1, 2, 5, 10, 20, 50].find((s) => span / s <= 4) || span / 4;
    grid.replaceChildren();
    for (let k = -4; k <= 4; k += 1) {
      const at = ((k * step * HALF) / span).toFixed(1);
      grid.append(
        h("path", { d: `M${at} ${-HALF}V${HALF}M${-HALF} ${at}H${HALF}`, class: k ? null : "ab-axis" }),
        k ? h("text", { x: at, y: 12 }, fixed(k * step, step < 1 ? 1 : 0)) : "",
      );
    }
  };
  const point = ({ clientX, clientY }) => {
    const box = svg.getBoundingClientRect();
    const scale = (2 * span) / box.width;
    return [(clientX - box.left) * scale - span, span - (clientY - box.top) * scale];
  };
  const place = ([kind, index], vector) =>
    move(
      kind,
      index,
      vector.map((x) => Math.round(Math.max(-1e3, Math.min(1e3, x)) * 100) / 100),
    );
  set(svg, {
    onpointerdown(event) {
      const [x, y] = point(event);
      const far = things().map(({ vector }) => Math.hypot(vector[0] - x, (vector[1] || 0) - y));
      const near = Math.min(...far);
      if (near * HALF > 30 * span) return;
      dragged = marks[far.indexOf(near)];
      dragged[3].focus({ preventScroll: true });
      svg.setPointerCapture(event.pointerId);
      event.preventDefault();
    },
    onpointermove(event) {
      if (dragged)
        place(
          dragged,
          point(event).map((x) => Math.max(-span, Math.min(span, x))),
        );
    },
    onlostpointercapture() {
      dragged = 0;
      view.redraw();
    },
  });
  return {
    node: h("figure", h("figcaption", title), svg),
    build() {
      marks = things().map(({ kind, index, name, label }, at) => {
        const line = h(`path.arrow ${kind}`);
        const text = h(`text.name ${kind}`, label);
        const node = stop(
          h(
            `g.handle ${kind}`,
            {
              role: "slider",
              "aria-label": name,
              "aria-valuemin": -1000,
              "aria-valuemax": 1000,
              onkeydown({ key, shiftKey }) {
                const way = ["ArrowLeft", "ArrowRight", "ArrowDown", "ArrowUp"].indexOf(key);
                if (way < 0 || !view.held(node)) return;
                const step = (way % 2 ? 1 : -1) * (shiftKey ? 0.01 : 0.1);
                const [x, y = 0] = things()[at].vector;
                place([kind, index], way < 2 ? [x + step, y] : [x, y + step]);
              },
            },
            h("circle.hit", { r: 26 }),
            h("path", { d: SHAPES[kind] }),
            text,
          ),
          1,
        );
        return [kind, index, line, node, text];
      });
      arrows.replaceChildren(...marks.map(([, , line]) => line));
      handles.replaceChildren(...marks.map(([, , , node]) => node));
      set(svg, { "data-many": marks.length > 13 });
    },
    draw(style) {
      if (!dragged) fit();
      const unit = HALF / span;
      things().forEach(({ vector, index }, at) => {
        const [, , line, node, text, last] = marks[at];
        const [right, up = 0] = vector;
        const [x, y] = [right * unit, -up * unit];
        if (style) set(line, { style: style(index) });
        // Most vectors rest while one moves.
        if (last === vector && unit === drawn) return;
        marks[at][5] = vector;
        set(line, { d: arrow(x, y) });
        set(node, {
          transform: `translate(${spot(x, y)})`,
          "aria-valuenow": right,
          "aria-valuetext": `${fixed(right)} across, ${fixed(up)} up`,
        });
        beside(text, x, y);
      });
      drawn = unit;
      more?.(extra, unit);
    },
  };
}
