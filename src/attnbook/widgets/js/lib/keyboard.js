// One tab stop a widget: arrows inside, Enter picks up, R resets, Esc lets go and leaves.

import { set } from "./elements.js";

// What is inside a closed panel has a size in some browsers, and takes no focus in any.
const CLOSED = "details:not([open]) > :not(summary)";

export function keyboard(root, reset) {
  let current;
  let held; // the control that has the arrow keys
  const isText = (node) => node.matches("textarea, input:not([type=range], [type=checkbox], [type=radio])");
  const stops = () =>
    [...root.querySelectorAll("[data-stop]")].filter(
      (node) => !node.disabled && node.getClientRects().length && !node.closest(CLOSED),
    );
  const tidy = () => {
    const all = stops();
    if (!all.includes(current)) [current] = all;
    for (const node of root.querySelectorAll("[tabindex='0']")) set(node, { tabindex: -1 });
    if (current) set(current, { tabindex: 0 });
  };
  const hold = (node) => {
    if (held) set(held, { "data-held": null });
    held = node;
    if (held) set(held, { "data-held": true });
  };
  set(root, {
    onfocusin({ target }) {
      if (held !== target) hold();
      if (target.matches("[data-stop]")) current = target;
      tidy();
    },
    onfocusout() {
      hold();
    },
    // A pointer on a slider, a box or a list: the keys go to it at once.
    onpointerup({ target }) {
      if (target.matches("input[data-stop=arrows], select")) hold(target);
    },
    oninput({ target }) {
      if (isText(target)) hold(target);
    },
    // What a widget does with a key stays in the widget: the notebook has shortcuts on the same keys.
    onkeydown: (event) => event.stopPropagation(),
  });
  // Capture: before the control itself, so that an arrow key moves the focus and not a slider.
  root.addEventListener(
    "keydown",
    (event) => {
      const { key, target } = event;
      if (event.ctrlKey || event.metaKey || event.altKey || !target.matches("[data-stop]")) return;
      const isHeld = held === target;
      if (key === "Escape") {
        if (held) hold();
        else target.blur();
      } else if (/^r$/i.test(key) && !(isText(target) && target.type !== "number")) reset();
      else if (isHeld && key === "Enter") hold();
      else if (isHeld) return;
      else if (target.dataset.stop && /^(Enter| )$/.test(key)) hold(target);
      else {
        const all = stops();
        const groups = all.map((one) =>
          one.closest("figure, fieldset, table, .ab-row, .ab-tools, .ab-panel"),
        );
        const at = all.indexOf(target);
        const first = groups.indexOf(groups[at]);
        const past = groups.lastIndexOf(groups[at]) + 1;
        // In a grid, up and down go by rows and leave at its ends.
        const columns = +target.dataset.columns || 1;
        const to = {
          ArrowRight: at + 1,
          ArrowDown: Math.min(at + columns, past),
          ArrowLeft: at - 1,
          ArrowUp: Math.max(at - columns, first - 1),
          Home: 0,
          End: all.length - 1,
          PageDown: past,
          PageUp: groups.indexOf(groups[first - 1]),
        }[key];
        if (to === undefined) return;
        all[to]?.focus();
      }
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
  return {
    tidy,
    held: (node) => held === node,
    // What has the focus may be gone from view after a change: the focus stays in the widget.
    mend() {
      const { activeElement: at } = document;
      if (root.contains(at) && !at.getClientRects().length) {
        tidy();
        current.focus();
      }
    },
  };
}
