// What all widgets share. In the published page this file is a classic script, and `globalThis.attnbook` holds its
// exports; in a notebook esbuild puts what a widget uses into the widget's own module. BOOK is true in the first alone.

import { readPart, writePart } from "./address.js";
import { button, h, say, set } from "./elements.js";
import { keyboard } from "./keyboard.js";
import { checkState } from "./state.js";

export * from "./elements.js";
export * from "./heat.js";
export * from "./numbers.js";
export * from "./plane.js";
export * from "./predict.js";
export * from "./softmax.js";

const REST = 250; // ms without a change until the sentence is spoken: once the hand rests, not sixty times a second
const SEND = 120; // ms without a change until kernel and address are told

const starts = new WeakMap(); // model -> what it began with

// Why this state cannot be shown, or "".
function faultOf(spec, model, state) {
  const sizes = () => spec.sizes(state, model);
  try {
    return checkState(model.get("declaration"), state, sizes) || spec.agree?.(state, model) || "";
  } catch (error) {
    return error.message;
  }
}

// Once a model, however often it is drawn: the page's address may hold another state to begin with.
function begin(model, spec) {
  let start = starts.get(model);
  if (start) return start;
  start = { state: model.get("state") };
  starts.set(model, start);
  const part = BOOK && readPart(model.get("widget_id"));
  if (part) {
    let reason = "it is cut off or was changed";
    try {
      const state = part();
      reason =
        state.version === start.state.version
          ? faultOf(spec, model, state)
          : "it is of another version of this book";
      if (!reason) {
        start.shared = true;
        model.set("state", state);
      }
    } catch {
      // The reason above says it.
    }
    if (reason) {
      start.note =
        `The part of this page's address that describes this widget cannot be read: ${reason}. ` +
        "The widget shows its first state; ask for the link anew, or copy it whole.";
    }
  }
  return start;
}

// A widget from {title, build}, and where it needs them:
//   sizes(state, model)   sizes that the declaration names and that are no part of the state, by name;
//   agree(state, model)   "" or why parts that are right by themselves do not fit together (both may throw it);
//   own                   the state goes into the address only when the reader copies the link.
// build(view, body, tools) -> {update(), sentence(), outside?(), reset?(), leave?()}.
// `view` has model, root, state, shared (from a link), change(patch), redraw(), held(node), note(text), reset(),
// fault(state), wait(promise).
//
// The root has `data-settled` while nothing is pending: no frame, no sentence, nothing to be sent or waited for.
export function widget(spec) {
  return {
    fault: (state, model) => faultOf(spec, model, state),
    initialize({ model }) {
      begin(model, spec);
    },
    render({ model, el }) {
      const start = begin(model, spec);
      const summary = h("p.summary", { role: "status" });
      const note = h("p.note", { role: "status" }, start.note);
      const body = h("");
      const challenge = h("p.challenge");
      const tools = h(".tools");
      const root = h("section", {
        class: "ab",
        role: "group",
        "aria-label": spec.title,
        "data-lm-suppress-shortcuts": "true",
      });
      const view = { model, root, state: model.get("state"), shared: start.shared };
      let built;
      let [speaking, drawing, sending] = [0, 0, 0]; // timers; 0 while none runs
      let waiting = 0;
      const keys = keyboard(root, () => view.reset());
      const settle = () => set(root, { "data-settled": !speaking && !drawing && !sending && !waiting });
      const rest = () => {
        speaking = 0;
        keys.tidy();
        say(summary, built.sentence());
        model.set("summary", summary.textContent);
        settle();
      };
      const draw = () => {
        drawing = 0;
        built.update();
        keys.mend();
        clearTimeout(speaking);
        speaking = setTimeout(rest, REST);
      };
      const send = () => {
        clearTimeout(sending);
        sending = 0;
        model.set("state", view.state);
        model.save_changes();
        if (BOOK && !spec.own) writePart(model.get("widget_id"), view.state);
        settle();
      };
      Object.assign(view, {
        held: keys.held,
        fault: (state) => faultOf(spec, model, state),
        note: (text) => say(note, text),
        redraw() {
          drawing = drawing || requestAnimationFrame(draw);
          settle();
        },
        // The reader changed something: draw in the next frame, tell kernel and address when the hand rests.
        change(patch) {
          view.state = { ...view.state, ...patch };
          clearTimeout(sending);
          sending = setTimeout(send, SEND);
          view.redraw();
          if (!BOOK && patch.prediction) {
            view.note(
              "Your guess lasts while the kernel runs. To keep it in the file, choose Settings, " +
                "Save Widget State Automatically, before you save the notebook.",
            );
          }
        },
        // A promise that changes what is shown: the widget has not settled before it has.
        wait(promise) {
          waiting += 1;
          settle();
          const done = () => {
            waiting -= 1;
            settle();
          };
          promise.then(done, done);
          return promise;
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
      const listen = (how) => {
        for (const name of ["state", "challenge", "theme"]) model[how](`change:${name}`, onModel);
      };
      const copyLink = async () => {
        send();
        writePart(model.get("widget_id"), view.state);
        try {
          await navigator.clipboard.writeText(location.href);
          view.note("The link to this view is copied.");
        } catch {
          view.note("The link to this view stands in the address bar: copy it from there.");
        }
      };
      el.append(root);
      try {
        const fault = faultOf(spec, model, view.state);
        if (fault) throw Error(fault);
        const hint = "Arrows: next control. Enter: pick it up for the arrows. Esc: let go, leave. R: reset.";
        root.append(challenge, body, summary, tools, note, h("p.hint", hint));
        onModel();
        built = spec.build(view, body, tools);
        tools.append(button("Reset", view.reset));
        if (BOOK) tools.append(button("Copy link", copyLink));
        draw();
        clearTimeout(speaking);
        rest();
      } catch (error) {
        const text = `${spec.title} cannot be shown: its state is damaged (${error.message}). Run its cell again.`;
        root.replaceChildren(h("p.note", { role: "status" }, text));
        set(root, { "data-settled": true });
        return undefined;
      }
      listen("on");
      if (start.shared) requestAnimationFrame(() => root.scrollIntoView({ block: "nearest" }));
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

// Classic scripts register their widget here; the page's host looks it up by class name.
export const widgets = {};

export function define(name, definition) {
  widgets[name] = definition;
}
