// Reads {"tex", "display"} a line, answers {"mathml"} or {"error"}: TeX to MathML by Temml, whose path is the argument.
"use strict";
const temml = require(process.argv[2]);
const lines = require("node:readline").createInterface({ input: process.stdin });

lines.on("line", (line) => {
  const { tex, display } = JSON.parse(line);
  let answer;
  try {
    // An unknown command or an unbalanced brace must stop the build, not print in red.
    answer = { mathml: temml.renderToString(tex, { displayMode: display, throwOnError: true, annotate: false }) };
  } catch (error) {
    answer = { error: String(error.message || error).split("\n")[0] };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
});
