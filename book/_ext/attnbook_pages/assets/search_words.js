// How text, code, formulas and queries become words to search for: the same for the index, which Node makes, and the page.
"use strict";
(function () {
  // Words that stand nearly everywhere and tell no section from another.
  const COMMON = new Set(
    ("a an and are as at be but by can do does for from has have how i if in into is it its me my no not of on or our so " +
      "that the their them then there these they this to us was we what when where which who why will with you your").split(" "));
  const SIGNS = { "√": " sqrt ", "α": " alpha ", "β": " beta ", "γ": " gamma ", "θ": " theta ", "σ": " sigma ", "τ": " tau ", "²": "^2" };

  // Letters, digits and underscores; a dotted name is its parts.
  function tokenize(text) {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[√αβγθστ²]/gu, (sign) => SIGNS[sign] ?? sign)
      .replace(/['’]s?\b/gu, "").match(/[\p{L}\p{N}_]+/gu) || [];
  }

  // "masks" is found by "mask" and the other way round; "loss", "bias" and "softmax" stay what they are.
  const singular = (word) => (word.length > 3 && /[^sui]s$/.test(word) ? word.slice(0, -1) : word);

  // A name in code is itself and its parts: scaled_dot_product_attention, GRUDecoder.
  function parts(word) {
    const found = word.replace(/(\p{Lu}+)(?=\p{Lu}\p{Ll})|(\p{Ll}|\p{N})(?=\p{Lu})/gu, "$1$2_").split("_");
    return found.length > 1 ? found.filter((part) => part.length > 1) : [];
  }
  // One spelling for both sides of the Atlantic, and for a word that the field has in two forms.
  const SPELT = { color: "colour", center: "centre", gray: "grey", positional: "position" };
  const spelling = (word) => SPELT[word] || (word.length > 6 ? word.replace(/iz(e|ed|er|ing|ation)$/, "is$1") : word);
  // Of numbers only years are searched for.
  const keep = (word) => word.length > 1 && !COMMON.has(word) && (!/^\d+$/.test(word) || /^(1[89]|20)\d\d$/.test(word));
  const plain = (word) => spelling(singular(word.toLowerCase().replace(/^_+|_+$/g, "")));

  const indexed = (word) => [...new Set([word, ...parts(word)].map(plain))].filter(keep);
  const asked = (word) => (keep(plain(word)) ? plain(word) : null);

  // What a section has: its title, its page's title, its words, and the names of its code and formulas.
  const FIELDS = ["title", "page", "text", "code"];
  const options = { fields: FIELDS, idField: "id", storeFields: [], tokenize, processTerm: indexed, autoVacuum: false };
  globalThis.attnbookSearch = { FIELDS, options, tokenize, parts, asked };
})();
