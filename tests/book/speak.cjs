// Reads a list of MathML formulas, writes the list of their ClearSpeak sentences; the argument is the engine's folder.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

process.env.SRE_JSON_PATH = join(process.argv[2], "lib", "mathmaps");
const engine = require(process.argv[2]);

(async () => {
  engine.setupEngine({ domain: "clearspeak", modality: "speech", locale: "en" });
  await engine.engineReady();
  const { formulas } = JSON.parse(readFileSync(0, "utf8"));
  process.stdout.write(JSON.stringify({ sentences: formulas.map((formula) => engine.toSpeech(formula)) }));
})();
