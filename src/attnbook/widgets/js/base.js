// What all widgets share: making elements, the frame, keyboard, theme, state, the shared link, prediction.
// In the published page this file is a classic script and `globalThis.attnbook` holds its exports; in a
// notebook esbuild puts what a widget uses into the widget's own module. BOOK is true in the first alone.

const SVG = /^(svg|g|path|circle|text|polyline)$/;

// h("p.note", {role: "status"}, "text", child): a paragraph of class ab-note. Attributes may be left out.
export function h(name, attributes, ...children) {
  const [tag, kind] = name.split(".");
  const node = SVG.test(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag || "div");
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
export const slider = (min, max, step, oninput, more) => stop(h("input", { type: "range", min, max, step, oninput, ...more }), 1);

export const select = (options, more) =>
  stop(h("select", more || {}, options.map(([value, text]) => h("option", { value }, text))), 1);

// Numbers as the kernel writes them: a true minus sign, no sign on zero.
export function fixed(x, digits = 2) {
  const text = x.toFixed(digits);
  return +text ? text.replace("-", "−") : text.replace("-", "");
}

export const percent = (share) => `${Math.floor(share * 100 + 0.5)} %`;

export const compact = (x) => +x.toPrecision(7);

// --- The shared link: #QKVPlayground-1=<state as base64url JSON>, one part a widget, joined by & ------------

const encode = (state) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(state))))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const decode = (text) =>
  JSON.parse(
    new TextDecoder().decode(
      Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0)),
    ),
  );

const parts = () => location.hash.slice(1).split("&").filter((part) => part.includes("="));

function writeHash(id, state) {
  const rest = parts().filter((part) => !part.startsWith(`${id}=`));
  try {
    history.replaceState(history.state, "", `#${[...rest, `${id}=${encode(state)}`].join("&")}`);
  } catch {
    // Some hosts forbid it (a sandboxed frame): the link is then not offered, the widget works on.
  }
}

// --- Keyboard: one tab stop, arrows inside, Enter picks up, R resets, Esc out ----------------------------

function keyboard(root, reset) {
  let current;
  let held; // the control that has the arrow keys
  const isText = (node) => node.matches("textarea, input:not([type=range], [type=checkbox], [type=radio])");
  const stops = () => [...root.querySelectorAll("[data-stop]")].filter((node) => !node.disabled && node.getClientRects().length);
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
  root.addEventListener("keydown", (event) => {
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
      const groups = all.map((one) => one.closest("figure, fieldset, table, .ab-row, .ab-tools, .ab-panel"));
      const at = all.indexOf(target);
      const first = groups.indexOf(groups[at]);
      const past = groups.lastIndexOf(groups[at]) + 1;
      // In a grid, up and down go by rows and leave at its ends.
      const columns = +target.dataset.columns || 1;
      const to = {
        ArrowRight: at + 1, ArrowDown: Math.min(at + columns, past),
        ArrowLeft: at - 1, ArrowUp: Math.max(at - columns, first - 1),
        Home: 0, End: all.length - 1, PageDown: past, PageUp: groups.indexOf(groups[first - 1]),
      }[key];
      if (to === undefined) return;
      all[to]?.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  }, true);
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

// --- The frame ---------------------------------------------------------------------------------------------

const starts = new WeakMap(); // model -> what it began with

function begin(model, spec) {
  let start = starts.get(model);
  if (start) return start;
  start = { state: model.get("state") };
  starts.set(model, start);
  if (BOOK) {
    const id = model.get("widget_id");
    const part = id && parts().find((one) => one.startsWith(`${id}=`));
    if (part) {
      let reason = "it is cut off or was changed";
      let state;
      try {
        state = decode(part.slice(id.length + 1));
        reason = state.version === start.state.version ? spec.check(state, model) : "it is of another version of this book";
      } catch {
        // The reason above says it.
      }
      if (reason) {
        start.note = `The part of this page's address that describes this widget cannot be read: ${reason}. The widget shows its first state; ask for the link anew, or copy it whole.`;
      } else {
        start.shared = true;
        model.set("state", state);
      }
    }
  }
  return start;
}

// A widget from {name, title, own (state goes into the address only when the reader copies the link), check(state, model) -> "" or why it is wrong,
// build(view, body, tools) -> {update(), sentence(), outside?(), reset?(), leave?()}}.
// `view` has model, root, state, shared (from a link), change(patch), redraw(), held(node), note(text), reset().
// In a notebook the kernel has checked the state: there `check` is left out of the bundle.
export function widget(spec) {
  return {
    initialize({ model }) {
      begin(model, spec);
    },
    render({ model, el }) {
      const start = begin(model, spec);
      const live = h("p.summary", { role: "status" });
      const note = h("p.note", { role: "status" }, BOOK && start.note);
      const body = h("");
      const challenge = h("p.challenge");
      const tools = h(".tools");
      const root = h("section", { class: "ab", role: "group", "aria-label": spec.title, "data-lm-suppress-shortcuts": "true" });
      const view = { model, root, state: model.get("state"), shared: BOOK && start.shared };
      let built;
      let speaking, drawing, sending; // timers
      const keys = keyboard(root, () => view.reset());
      const rest = () => {
        keys.tidy();
        say(live, built.sentence());
        model.set("summary", live.textContent);
      };
      const draw = () => {
        drawing = 0;
        built.update();
        keys.mend();
        clearTimeout(speaking);
        // Once the hand rests, not sixty times a second.
        speaking = setTimeout(rest, 250);
      };
      const send = () => {
        clearTimeout(sending);
        sending = 0;
        model.set("state", view.state);
        model.save_changes();
        if (BOOK && !spec.own) writeHash(model.get("widget_id"), view.state);
      };
      Object.assign(view, {
        held: keys.held,
        note: (text) => say(note, text),
        redraw() {
          drawing = drawing || requestAnimationFrame(draw);
        },
        // The reader changed something: draw in the next frame, tell kernel and address when the hand rests.
        change(patch) {
          view.state = { ...view.state, ...patch };
          view.redraw();
          clearTimeout(sending);
          sending = setTimeout(send, 120);
        },
        reset() {
          view.change(start.state);
          built.reset?.();
          view.note("Reset.");
        },
      });
      const onModel = () => {
        say(challenge, model.get("challenge"));
        // base.css follows the page unless the reader's program says otherwise.
        const theme = model.get("theme");
        set(root, { "data-theme": theme !== "auto" && theme });
        if (model.get("state") === view.state || sending) return;
        view.state = model.get("state");
        built.outside?.();
        view.redraw();
      };
      const listen = (how) => ["state", "challenge", "theme"].forEach((name) => model[how](`change:${name}`, onModel));
      el.append(root);
      try {
        const wrong = BOOK && spec.check(view.state, model);
        if (wrong) throw Error(wrong);
        root.append(challenge, body, live, tools, note, h("p.hint",
          "Arrows: next control. Enter: pick it up for the arrows. Esc: let go, leave. R: reset."));
        onModel();
        built = spec.build(view, body, tools);
        tools.append(button("Reset", view.reset));
        if (BOOK) {
          tools.append(button("Copy link", async () => {
            send();
            writeHash(model.get("widget_id"), view.state);
            try {
              await navigator.clipboard.writeText(location.href);
              view.note("The link to this view is copied.");
            } catch {
              view.note("The link to this view stands in the address bar: copy it from there.");
            }
          }));
        }
        draw();
        rest();
      } catch (error) {
        root.replaceChildren(h("p.note", { role: "status" },
          `${spec.title} cannot be shown: its state is damaged (${error.message}). Run its cell again.`));
        return undefined;
      }
      listen("on");
      if (BOOK && start.shared) requestAnimationFrame(() => root.scrollIntoView({ block: "nearest" }));
      return () => {
        if (sending) send();
        clearTimeout(speaking);
        cancelAnimationFrame(drawing);
        built.leave?.();
        listen("off");
      };
    },
  };
}

// --- Predict first ----------------------------------------------------------------------------------------------

// Half for the right word, half for how near the share was, or all for it where no word was asked: as values.py.
export const grade = ({ choice, share, answer, actual }) =>
  Math.floor(((choice === answer) + 1 - Math.abs(share - actual) * (choice === null ? 2 : 1)) * 50 + 0.5) / 100;

// The panel that hides the outcome until the reader commits or skips.
// ask(): the question; options(): words, or none where only a share is asked; outcome(): [index of the right word or
// null, its share]; why(): one sentence.
export function predictor(view, { ask, options, outcome, why }) {
  const panel = h(".predict");
  let shown;
  const skip = (revealed) => view.change({ prediction: null, score: null, revealed });
  const verdict = () => {
    const { prediction, score } = view.state;
    if (!prediction) return "";
    const { choice, share, answer, actual } = prediction;
    const labels = options();
    const [best, now] = outcome();
    return `${choice === null ? "It came back" : choice === answer ? "You named the right word" : `You said “${labels[choice]}”; it was “${labels[answer]}”`}, with ${percent(actual)} where you said ${percent(share)}: ${Math.round(100 * Math.abs(share - actual))} points off, score ${fixed(score)}. ${best === answer && Math.abs(now - actual) < 0.005 ? why() : ""}`;
  };
  return {
    panel,
    draw() {
      const { revealed } = view.state;
      const labels = options();
      const key = JSON.stringify([revealed, ask(), labels]);
      if (key !== shown) {
        const inside = panel.contains(document.activeElement);
        shown = key;
        if (revealed) {
          panel.replaceChildren(h("p", { role: "status" }), button("Predict again", () => skip(false)));
        } else {
          const choice = select(labels.map((label, i) => [i, label]));
          const read = h("output", "50 %");
          const range = slider(0, 100, 1, () => say(read, `${range.value} %`));
          panel.replaceChildren(
            h("p.ask", ask()),
            h(".row", h("label", "I expect ", choice), h("label", "with a share of ", range, read)),
            h(".row", button("Commit", () => {
              const [answer, actual] = outcome();
              const prediction = { choice: choice.value ? +choice.value : null, share: range.value / 100, answer, actual: compact(actual) };
              view.change({ prediction, revealed: true, score: grade(prediction) });
            }, { class: "ab-main" }), button("Skip", () => skip(true))),
          );
        }
        if (inside) panel.querySelector("[data-stop]").focus();
      }
      if (revealed) say(panel.firstChild, verdict());
    },
  };
}

// --- The published page ---------------------------------------------------------------------------------------

// Classic scripts register their widget here; the page's host looks it up by class name.
export const widgets = {};

export function define(name, definition) {
  widgets[name] = definition;
}
