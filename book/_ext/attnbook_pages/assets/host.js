// The page's side of the widgets: finds their places and their state, makes a model, draws, and says so where one fails.
"use strict";
(function () {
  const attnbook = globalThis.attnbook;
  const places = document.querySelectorAll(".attnbook-widget[data-model]");

  // One sentence at the widget's place; what the notebook stored stays below it.
  function say(place, reason) {
    const name = place.dataset.class;
    const note = document.createElement("p");
    note.className = "attnbook-failure";
    note.setAttribute("role", "note");
    note.textContent =
      `The interactive ${name} could not start here (${reason}). ` +
      "Its picture stands in its place; reload the page, or open the chapter in Jupyter.";
    place.querySelectorAll(".attnbook-failure").forEach((old) => old.remove());
    place.prepend(note);
    place.dataset.state = "failed";
  }

  function decode(base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
    return new DataView(bytes.buffer);
  }

  // What a widget expects of a model, without a kernel behind it.
  function makeModel(entry) {
    const values = { ...entry.state };
    for (const { path, data } of entry.buffers || []) {
      let owner = values;
      for (const step of path.slice(0, -1)) owner = owner[step];
      owner[path[path.length - 1]] = decode(data);
    }
    const listeners = new Map();
    const tell = (event, ...details) => [...(listeners.get(event) || [])].forEach((listener) => listener(...details));
    const model = {
      get: (name) => values[name],
      set(name, value) {
        const changes = typeof name === "string" ? { [name]: value } : name;
        const changed = Object.keys(changes).filter((key) => values[key] !== changes[key]);
        Object.assign(values, changes);
        for (const key of changed) tell(`change:${key}`, model, values[key]);
        if (changed.length) tell("change", model);
      },
      on(events, listener) {
        for (const event of events.split(/\s+/)) {
          if (!listeners.has(event)) listeners.set(event, new Set());
          listeners.get(event).add(listener);
        }
      },
      off(events, listener) {
        if (!events) return listeners.clear();
        for (const event of events.split(/\s+/)) {
          if (listener) listeners.get(event)?.delete(listener);
          else listeners.delete(event);
        }
      },
      // Nothing to save to, nobody to send to: a published page has no kernel.
      save_changes() {},
      send() {},
      get widget_manager() {
        throw new Error("a widget inside another needs Jupyter");
      },
    };
    return model;
  }

  async function start(place, entry) {
    const definition = attnbook?.widgets?.[entry.class];
    if (!definition) throw new Error(`${entry.class}.js did not load`);
    const model = makeModel(entry);
    const host = { model, experimental: { invoke: () => Promise.reject(new Error("there is no kernel behind this page")) } };
    await definition.initialize?.(host);
    const el = document.createElement("div");
    el.className = "attnbook-live";
    // Drawn where it will stand, because a widget measures itself; the stored picture goes once it has succeeded.
    const stored = [...place.childNodes];
    place.append(el);
    try {
      await definition.render({ ...host, el });
    } catch (error) {
      el.remove();
      throw error;
    }
    stored.forEach((node) => node.remove());
    place.dataset.state = "live";
  }

  let state = {};
  let unreadable = "";
  try {
    state = JSON.parse(document.getElementById("attnbook-state").textContent);
  } catch (error) {
    unreadable = "its stored state cannot be read";
  }
  for (const place of places) {
    const entry = state[place.dataset.model];
    if (!entry) say(place, unreadable || "its state is missing from the page");
    else start(place, entry).catch((error) => say(place, error.message));
  }
})();
