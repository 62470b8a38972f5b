// Reads {"package", "css", "content"}: answers {"css"}, the sheets joined, without rules that no page or script names.
"use strict";
const request = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const { PurgeCSS } = require(request.package);

(async () => {
  const joined = [];
  for (const css of request.css) {
    const [result] = await new PurgeCSS().purge({
      content: request.content,
      css: [{ raw: css }],
      keyframes: true,
      // Attributes that scripts or the reader set.
      dynamicAttributes: ["data-theme", "data-mode", "open", "hidden", "aria-expanded", "aria-current", "aria-label", "data-state"],
    });
    joined.push(result.css);
  }
  process.stdout.write(JSON.stringify({ css: joined.join("\n") }));
})().catch((error) => {
  process.stderr.write(String(error.message || error));
  process.exit(1);
});
