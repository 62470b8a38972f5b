// Bundles the widgets into ../static: `npm run build`. With --check: compares with what is there, writes nothing.
// One self-contained ES module a widget for notebooks; for the published page classic scripts (they work from
// file://): book/base.js once, book/<Class>.js for each widget, and book/inference.js, which runs trained models and which
// base.js fetches when a reader first asks for one.

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.env.ATTNBOOK_STATIC || join(here, "..", "static");
const WIDGETS = {
  AlignmentExplorer: "alignment_explorer.js",
  AttentionBudget: "attention_budget.js",
  AttentionMap: "attention_map.js",
  AttentionWindow: "attention_window.js",
  Captioner: "captioner.js",
  CausalStepper: "causal_stepper.js",
  DrawStepper: "draw_stepper.js",
  HeadExplorer: "head_explorer.js",
  PatchExplorer: "patch_explorer.js",
  PhotoPatches: "photo_patches.js",
  PositionExplorer: "position_explorer.js",
  QKVPlayground: "qkv_playground.js",
  Quiz: "quiz.js",
  SaliencyScanpath: "saliency_scanpath.js",
  SearchAndCueing: "search_and_cueing.js",
  SelfAttentionPlayground: "self_attention_playground.js",
  TinyTransformerLive: "tiny_transformer_live.js",
  TranslatorExplorer: "translator_explorer.js",
};
// What the page loads once, with base.js.
const SHARED = ["elements", "heat", "model_weights", "numbers", "plane", "predict", "softmax"];
const shared = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  write: false,
  target: "es2021",
  charset: "utf8",
  legalComments: "none",
};

// In the page a widget takes the shared code from the global that base.js made.
const fromGlobal = {
  name: "base-from-global",
  setup(one) {
    const shared = new RegExp(`/(base|${SHARED.join("|")})\\.js$`);
    one.onResolve({ filter: shared }, () => ({ path: "base", namespace: "attnbook" }));
    one.onLoad({ filter: /.*/, namespace: "attnbook" }, async () => {
      const sources = ["base", ...SHARED].map((name) => readFile(join(here, "lib", `${name}.js`), "utf8"));
      const text = (await Promise.all(sources)).join("\n");
      const names = namesOf(text);
      // Marked as pure, so that a widget's script names only what it uses.
      const lines = names.map((name) => `export const ${name} = /* @__PURE__ */ get("${name}");`);
      return { contents: `const get = (name) => globalThis.attnbook[name];\n${lines.join("\n")}` };
    });
  },
};

const namesOf = (text) =>
  [...text.matchAll(/^export (?:async )?(?:const|function) (\w+)/gm)].map((match) => match[1]);

const INFERENCE = (await readdir(join(here, "inference"))).filter((name) => /^\w+\.js$/.test(name)).sort();
const sourcesOfInference = await Promise.all(
  INFERENCE.map((name) => readFile(join(here, "inference", name), "utf8")),
);
const inferenceNames = sourcesOfInference.flatMap(namesOf);
const twice = inferenceNames.filter((name, i) => inferenceNames.indexOf(name) !== i);
if (twice.length) throw Error(`inference/: ${twice.join(", ")} is exported by two files`);

// What runs models is looked up when it is called, since its script comes late: so inference/ exports functions alone.
const inferenceFromGlobal = {
  name: "inference-from-global",
  setup(one) {
    one.onResolve({ filter: /\/inference\/\w+\.js$/ }, () => ({ path: "inference", namespace: "late" }));
    one.onLoad({ filter: /.*/, namespace: "late" }, () => ({
      contents: inferenceNames
        .map((name) => `export const ${name} = (...all) => globalThis.attnbook.${name}(...all);`)
        .join("\n"),
    }));
  },
};

const text = async (options) => {
  const result = await build({ ...shared, ...options });
  return result.outputFiles[0].text;
};

const files = {};
for (const [name, source] of Object.entries(WIDGETS)) {
  files[`${name}.js`] = await text({
    stdin: { contents: `export { default } from "./${source}";`, resolveDir: here },
    format: "esm",
    define: { BOOK: "false" },
  });
  files[`book/${name}.js`] = await text({
    stdin: {
      contents: `import widget from "./${source}"; import { define } from "./lib/base.js"; define("${name}", widget);`,
      resolveDir: here,
    },
    format: "iife",
    plugins: [inferenceFromGlobal, fromGlobal],
    define: { BOOK: "true" },
  });
}
files["book/inference.js"] = await text({
  stdin: {
    contents: `${INFERENCE.map((name, i) => `import * as m${i} from "./inference/${name}";`).join("\n")}
      Object.assign(globalThis.attnbook, ${INFERENCE.map((_, i) => `m${i}`).join(", ")});`,
    resolveDir: here,
  },
  format: "iife",
  plugins: [fromGlobal],
  define: { BOOK: "true" },
});
files["book/base.js"] = await text({
  stdin: {
    contents: `import * as base from "./lib/base.js"; import * as weights from "./lib/model_weights.js";
      globalThis.attnbook = { ...base, ...weights, ...globalThis.attnbook };`,
    resolveDir: here,
  },
  format: "iife",
  plugins: [inferenceFromGlobal],
  define: { BOOK: "true" },
});

// A notebook carries each widget's style with it: what all share, and its own. The page has one sheet for all.
const sheet = (names) =>
  text({
    stdin: {
      contents: names.map((name) => `@import "./${name}.css";`).join(""),
      resolveDir: here,
      loader: "css",
    },
  });
const own = (source) => source.replace(".js", "");
for (const [name, source] of Object.entries(WIDGETS))
  files[`${name}.css`] = await sheet(["lib/base", own(source)]);
files["book/widgets.css"] = await sheet(["lib/base", ...Object.values(WIDGETS).map(own)]);

const differing = [];
for (const [name, contents] of Object.entries(files)) {
  const path = join(target, name);
  const old = await readFile(path, "utf8").catch(() => null);
  if (old === contents) continue;
  if (process.argv.includes("--check")) {
    differing.push(name);
    continue;
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, contents);
  console.log(`${relative(here, path)} ${contents.length} bytes`);
}
if (differing.length) {
  console.error(
    `static/ is out of step with js/: ${differing.join(", ")}. Run \`npm run build\` in ${here}.`,
  );
  process.exit(1);
}
