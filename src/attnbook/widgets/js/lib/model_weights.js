// The trained models that ship, fetched when a reader first asks for one, and once for all widgets of a page.

import { readModel } from "../inference/safetensors.js";
import { h, say, set } from "./elements.js";

const WAIT = 20000; // ms until a kernel that says nothing counts as absent
const asked = new Map();
// In the page this is a classic script: its own address is where the others lie, also from a disk.
const here = BOOK && globalThis.document?.currentScript?.src;

function addScript(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(name, here);
    script.onload = resolve;
    script.onerror = () => reject(Error(`${name} did not load`));
    document.head.append(script);
  });
}

function decode(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

// Without a kernel: the model's script puts its file, in base64, into attnbook.files; inference.js is what runs it.
async function fromPage(name) {
  const { attnbook } = globalThis;
  attnbook.files = attnbook.files || {};
  await Promise.all([attnbook.readModel || addScript("inference.js"), addScript(`models/${name}.js`)]);
  if (!attnbook.files[name]) throw Error(`models/${name}.js did not load`);
  const bytes = decode(attnbook.files[name]);
  delete attnbook.files[name];
  return bytes;
}

// With one: models/store.py has the same file.
function fromKernel(model, name) {
  return new Promise((resolve, reject) => {
    const answer = ({ type, name: which, fault }, buffers) => {
      if (type !== "model" || which !== name) return;
      model.off("msg:custom", answer);
      clearTimeout(timer);
      if (fault) reject(Error(fault));
      else {
        const [view] = buffers; // a DataView
        resolve(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
      }
    };
    const timer = setTimeout(() => {
      model.off("msg:custom", answer);
      reject(Error("no kernel answered; run the widget's cell again"));
    }, WAIT);
    model.on("msg:custom", answer);
    model.send({ type: "model", name });
  });
}

// A promise of {architecture, configuration, vocabularies, tensors}, as inference/safetensors.js reads it. The widget's
// trait `models` names those that it may ask for. After a failure the next call tries again.
export function loadModel({ model }, name) {
  if (!asked.has(name)) {
    const bytes = BOOK ? fromPage(name) : fromKernel(model, name);
    asked.set(name, bytes.then(readModel));
    asked.get(name).catch(() => asked.delete(name));
  }
  return asked.get(name);
}

// The one model of a widget, loaded when the reader first touches the widget or when `load` is called, which promises
// whether it is there. `use` is given it; `told` says how far it is. After a failure another try waits for the reader's
// hand: `failed` says so.
export function modelWhenTouched(view, use) {
  const told = h("p.note", { role: "status" });
  const [name] = view.model.get("models");
  let loading;
  const loader = { told, failed: false, load };
  function load() {
    if (loading) return loading;
    say(told, "The trained model is being loaded.");
    loading = loadModel(view, name)
      .then((trained) => {
        use(trained);
        say(told, "");
        view.redraw();
        return true;
      })
      .catch((error) => {
        loading = null;
        loader.failed = true;
        say(told, `The model did not load: ${error.message}.`);
        return false;
      });
    return view.wait(loading);
  }
  set(view.root, { onpointerenter: load, onfocusin: load, onpointerdown: load });
  return loader;
}
