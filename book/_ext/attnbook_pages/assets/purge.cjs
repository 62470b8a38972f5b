// Reads {"package", "css", "content"}: answers {"css"}: the sheets joined, without what no page or script names.
"use strict";
const request = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const { PurgeCSS } = require(request.package);

(async () => {
  // One sheet, since a variable that one declares is used in another.
  const [result] = await new PurgeCSS().purge({
    content: request.content,
    css: [{ raw: request.css.join("\n") }],
    keyframes: true,
    variables: true,
    // Attributes that scripts or the reader set.
    dynamicAttributes: ["data-theme", "data-mode", "open", "hidden", "aria-expanded", "aria-pressed", "aria-current", "aria-label", "data-state"],
  });
  const css = result.css
    .replace(/\/\*[^]*?\*\//g, "")
    .replace(/\s*\n\s*/g, "\n")
    .replace(/ *([{};]) */g, "$1");
  process.stdout.write(JSON.stringify({ css }));
})().catch((error) => {
  process.stderr.write(String(error.message || error));
  process.exit(1);
});
