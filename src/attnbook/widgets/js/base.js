// What all widgets share: making elements, the frame, keyboard, theme, state, the shared link, prediction.
// In the published page this file is a classic script and `globalThis.attnbook` holds its exports; in a
// notebook esbuild puts what a widget uses into the widget's own module. BOOK is true in the first alone.

const SVG = new Set(["svg", "g", "path", "line", "circle", "rect", "text", "polyline"]);

// h("button", {class: "x", onclick: f}, "text", child): an element with attributes, listeners and children.
export function h(tag, attributes, ...children) {
  const node = SVG.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  set(node, attributes);
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

// Attributes by name; true writes an empty one, false, null and undefined remove it.
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes || {})) {
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

// A control: reached with the arrow keys inside the widget's one tab stop. `arrows: true` marks a control
// that wants the arrow keys for itself once Enter has picked it up.
export function stop(node, arrows) {
  return set(node, { "data-stop": arrows ? "arrows" : "", tabindex: -1 });
}

export const button = (text, onclick, more) => stop(h("button", { type: "button", onclick, ...more }, text));

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

// --- Theme -------------------------------------------------------------------------------------------------

function isDark(theme) {
  const page = document.documentElement;
  const { body } = document;
  const named = theme !== "auto" && theme ? theme : page.dataset.theme || page.getAttribute("theme");
  if (named === "dark" || named === "light") return named === "dark";
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (/\bvscode-(dark|high-contrast)\b(?!-light)/.test(body.className)) return true;
  if (/\bvscode-/.test(body.className)) return false;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function followTheme(root, model) {
  const apply = () => set(root, { "data-theme": isDark(model.get("theme")) ? "dark" : "light" });
  const watch = new MutationObserver(apply);
  const system = matchMedia("(prefers-color-scheme: dark)");
  for (const node of [document.documentElement, document.body]) watch.observe(node, { attributes: true });
  system.addEventListener("change", apply);
  model.on("change:theme", apply);
  apply();
  return () => {
    watch.disconnect();
    system.removeEventListener("change", apply);
    model.off("change:theme", apply);
  };
}

// --- Keyboard: one tab stop, arrows inside, Enter picks up, R resets, Esc out ----------------------------

function keyboard(root, reset) {
  let current = null;
  let held = null; // the control that has the arrow keys
  const isText = (node) => node.matches("textarea, input:not([type=range]):not([type=checkbox])");
  const stops = () =>
    [...root.querySelectorAll("[data-stop]")].filter((node) => !node.disabled && node.getClientRects().length);
  const tidy = () => {
    const all = stops();
    if (!all.includes(current)) current = all[0];
    for (const node of root.querySelectorAll("[data-stop][tabindex='0']")) node.tabIndex = -1;
    if (current) current.setAttribute("tabindex", 0);
  };
  const hold = (node) => {
    if (held) held.removeAttribute("data-held");
    held = node;
    if (held) held.setAttribute("data-held", "");
  };
  root.addEventListener("focusin", ({ target }) => {
    const node = target.closest("[data-stop]");
    if (held && held !== node) hold(null);
    if (node) current = node;
    tidy();
  });
  root.addEventListener("focusout", ({ relatedTarget }) => {
    if (!root.contains(relatedTarget)) hold(null);
  });
  root.addEventListener("pointerdown", ({ target }) => {
    if (target.matches("input[data-stop=arrows], select")) hold(target);
  });
  root.addEventListener("input", ({ target }) => isText(target) && hold(target));
  // Capture: before the control itself, so that an arrow key moves the focus and not a slider.
  root.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !target.closest("[data-stop]")) return;
    const node = target.closest("[data-stop]");
    const take = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    if (key === "Escape") {
      take();
      if (held) hold(null);
      else node.blur();
    } else if (key.toLowerCase() === "r" && !(isText(node) && node.type !== "number")) {
      take();
      reset();
    } else if (held === node) {
      if (key === "Enter") {
        take();
        hold(null);
      }
    } else if (node.dataset.stop === "arrows" && (key === "Enter" || key === " ")) {
      take();
      hold(node);
    } else {
      const all = stops();
      const groups = all.map((one) => one.closest("[data-group]"));
      const at = all.indexOf(node);
      let to = null;
      if (key === "ArrowRight" || key === "ArrowDown") to = at + 1;
      if (key === "ArrowLeft" || key === "ArrowUp") to = at - 1;
      if (key === "Home") to = 0;
      if (key === "End") to = all.length - 1;
      if (key === "PageDown") to = groups.findIndex((group, i) => i > at && group !== groups[at]);
      if (key === "PageUp") to = groups.indexOf(groups[groups.indexOf(groups[at]) - 1]);
      if (to === null) return;
      take();
      all[Math.max(0, Math.min(all.length - 1, to))]?.focus();
    }
  }, true);
  // What a widget does with a key stays in the widget: the notebook has shortcuts on the same keys.
  root.addEventListener("keydown", (event) => event.stopPropagation());
  return { tidy, isHeld: (node) => held === node };
}

// --- The frame ---------------------------------------------------------------------------------------------

const starts = new WeakMap(); // model -> {state, note}

function begin(model, spec) {
  if (starts.has(model)) return starts.get(model);
  const start = { state: model.get("state"), note: "", shared: false };
  starts.set(model, start);
  if (BOOK) {
    const id = model.get("widget_id");
    const part = parts().find((one) => one.startsWith(`${id}=`));
    if (part && id) {
      let reason = "it is cut off or was changed";
      let state;
      try {
        state = decode(part.slice(id.length + 1));
        reason = state?.version === start.state.version ? spec.check(state) : "it is of another version of this book";
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

// A widget from {name, title, check(state) -> "" or why it is wrong, build(view) -> {update(), sentence(), challenge?}}.
// `view` has: model, root, state, change(patch), redraw(), held(node), note(text), reset().
export function widget(spec) {
  return {
    initialize({ model }) {
      begin(model, spec);
    },
    render({ model, el }) {
      const start = begin(model, spec);
      const live = h("p", { class: "ab-summary", "aria-live": "polite" });
      const note = h("p", { class: "ab-note", role: "status" }, start.note);
      const body = h("div", { class: "ab-body" });
      const challenge = h("p", { class: "ab-challenge" });
      const root = h("section", {
        class: `ab ab-${spec.name}`, role: "group", "aria-label": spec.title,
        "data-lm-suppress-shortcuts": "true",
      });
      const leave = [followTheme(root, model)];
      const view = { model, root, state: model.get("state") };
      const broken = view.state && spec.check(view.state);
      el.append(root);
      if (!view.state || broken) {
        root.append(h("p", { class: "ab-note", role: "status" },
          `${spec.title}: the stored state of this widget cannot be shown: ${broken || "there is none"}. Run its cell again, or reload the page.`));
        return () => leave.forEach((end) => end());
      }
      let parts = null;
      let spoken = 0;
      let drawn = 0;
      let sent = 0;
      const keys = keyboard(root, () => view.reset());
      const draw = () => {
        drawn = 0;
        parts.update();
        const sentence = parts.sentence();
        clearTimeout(spoken);
        // Speak once the hand rests, not sixty times a second.
        spoken = setTimeout(() => {
          say(live, sentence);
          model.set("summary", sentence);
        }, 250);
        keys.tidy();
      };
      const send = () => {
        sent = 0;
        model.set("state", view.state);
        model.save_changes();
        if (BOOK) writeHash(model.get("widget_id"), view.state);
      };
      Object.assign(view, {
        held: keys.isHeld,
        note: (text) => say(note, text),
        redraw() {
          if (!drawn) drawn = requestAnimationFrame(draw);
        },
        // The reader changed something: draw in the next frame, tell kernel and address when the hand rests.
        change(patch) {
          view.state = { ...view.state, ...patch };
          view.redraw();
          clearTimeout(sent);
          sent = setTimeout(send, 120);
        },
        reset() {
          view.change(spec.reset ? spec.reset(start.state) : start.state);
          parts.reset?.();
          view.note("Reset.");
        },
      });
      const onState = () => {
        if (model.get("state") === view.state || sent) return;
        view.state = model.get("state");
        parts.outside?.();
        view.redraw();
      };
      const onChallenge = () => say(challenge, model.get("challenge") || "");
      model.on("change:state", onState);
      model.on("change:challenge", onChallenge);
      const hint = h("p", { class: "ab-hint" },
        "Keyboard: arrow keys go from control to control, Enter picks a control up so that the arrow keys change it, Esc lets go and then leaves, R resets.");
      const tools = h("div", { class: "ab-tools", "data-group": "" });
      root.append(challenge, body, live, tools, note, hint);
      onChallenge();
      parts = spec.build(view, body, tools);
      tools.append(button("Reset", () => view.reset()));
      if (BOOK) {
        tools.append(button("Copy link", async () => {
          if (sent) {
            clearTimeout(sent);
            send();
          } else writeHash(model.get("widget_id"), view.state);
          try {
            await navigator.clipboard.writeText(location.href);
            view.note("The link to this view is copied.");
          } catch {
            view.note("The link to this view stands in the address bar: copy it from there.");
          }
        }));
      }
      draw();
      say(live, parts.sentence());
      if (start.shared) {
        start.shared = false;
        requestAnimationFrame(() => root.scrollIntoView({ block: "nearest" }));
      }
      return () => {
        if (sent) {
          clearTimeout(sent);
          send();
        }
        clearTimeout(spoken);
        cancelAnimationFrame(drawn);
        model.off("change:state", onState);
        model.off("change:challenge", onChallenge);
        leave.forEach((end) => end());
        root.remove();
      };
    },
  };
}

// --- Predict first ----------------------------------------------------------------------------------------------

let serial = 0;

// The panel that hides the outcome until the reader commits or skips.
// ask: question; options(): labels; share: whether "how much?" is asked too;
// commit(choice, share), skip(), again(); verdict(): a sentence or "".
export function predictor(view, { ask, options, share, commit, skip, again, verdict }) {
  const id = `ab-p${(serial += 1)}`;
  const panel = h("div", { class: "ab-predict", "data-group": "" });
  let shown = "";
  const draw = () => {
    const { revealed } = view.state;
    const labels = options();
    const key = JSON.stringify([revealed, labels]);
    if (key !== shown) {
      shown = key;
      const had = panel.contains(document.activeElement);
      panel.replaceChildren(...(revealed ? after() : before(labels)));
      if (had) (panel.querySelector("[data-stop]") || view.root).focus();
    }
    if (revealed) say(panel.firstChild, verdict());
  };
  const after = () => [h("p", { class: "ab-verdict", role: "status" }), button("Predict again", again)];
  const before = (labels) => {
    const select = stop(h("select", { id: `${id}c` }, labels.map((label, i) => h("option", { value: i }, label))), true);
    const range = share && stop(h("input", {
      id: `${id}s`, type: "range", min: 0, max: 100, step: 1, value: 50, oninput: () => say(read, `${range.value} %`),
    }), true);
    const read = h("output", { for: `${id}s` }, "50 %");
    return [
      h("p", { class: "ab-ask" }, ask()),
      h("div", { class: "ab-row" },
        h("label", { for: `${id}c` }, "I expect", select),
        share && h("label", { for: `${id}s` }, "with a share of", range, read)),
      h("div", { class: "ab-row" },
        button("Commit", () => commit(+select.value, share ? range.value / 100 : null), { class: "ab-main" }),
        button("Skip", skip)),
    ];
  };
  return { panel, draw };
}

// --- The published page ---------------------------------------------------------------------------------------

// Classic scripts register their widget here; the page's host looks it up by class name.
export const widgets = {};

export function define(name, definition) {
  widgets[name] = definition;
}
