// Reads {"package", "words", "sections"}, writes {"index"}: the sections by their words, small enough to travel.
"use strict";
const { readFileSync } = require("node:fs");
const { package: path, words, sections } = JSON.parse(readFileSync(0, "utf8"));
require(words);
const MiniSearch = require(path);

const search = new MiniSearch(globalThis.attnbookSearch.options);
search.addAll(sections.map((section, id) => ({ id, ...section })));
const whole = JSON.parse(JSON.stringify(search));

// One line a word: for each field where it stands the sections, as steps from one to the next, and how often where it
// is more than once. MiniSearch's own form of the same is three times as long.
const base = (number) => (number ? number.toString(36) : "");
const lines = whole.index.map(([word, fields]) => {
  const lists = globalThis.attnbookSearch.FIELDS.map((_, field) => {
    let last = -1;
    return Object.entries(fields[field] || {}).map(([id, times]) => {
      const step = Number(id) - last - 1;
      last = Number(id);
      return base(step) + (times > 1 ? `.${Math.min(times, 9)}` : "");
    }).join(",") + (fields[field] ? ";" : "");
  });
  return [word, ...lists];
});
process.stdout.write(JSON.stringify({ index: lines, lengths: whole.fieldLength, average: whole.averageFieldLength }));
