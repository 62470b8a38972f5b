// The page of the search: sections by their words, the nearest first; what was probably meant, where nothing is found.
"use strict";
(function () {
  const { FIELDS, options, tokenize, parts, asked } = globalThis.attnbookSearch;
  const SHOWN = 10;
  const FEW = 3;

  // The index as MiniSearch keeps it, out of the form in which it travels (search_index.cjs).
  function unpacked({ index, lengths, average }, count) {
    const lists = (text, field, into) => {
      let last = -1;
      for (const entry of text.slice(0, -1).split(",")) {
        const [step, times] = entry.split(".");
        last += parseInt(step || "0", 36) + 1;
        (into[field] ||= {})[last] = Number(times || 1);
      }
    };
    const words = index.map(([word, ...texts]) => {
      const fields = {};
      texts.forEach((text, field) => text && lists(text, field, fields));
      return [word, fields];
    });
    const ids = Object.fromEntries(Array.from({ length: count }, (_, id) => [id, id]));
    return {
      index: words, documentCount: count, nextId: count, documentIds: ids, storedFields: {}, dirtCount: 0,
      fieldIds: Object.fromEntries(FIELDS.map((name, number) => [name, number])),
      fieldLength: lengths, averageFieldLength: average, serializationVersion: 2,
    };
  }

  function prepare(MiniSearch, { sections, index }) {
    const engine = MiniSearch.loadJS(unpacked(index, sections.length), options);
    const compare = (text) => tokenize(text).map((word) => asked(word) || "").join(" ").trim();
    // What a reader names by its name is wanted itself: the entry of a glossary, a name of the package, a title.
    const named = sections.map(([address, title, page]) => ({
      glossary: address.startsWith("book/glossary.html#"), api: /^book\/api(_package)?\.html#/.test(address),
      title: compare(title), address: compare(address.split("#")[1] || ""), page,
    }));
    const ask = (words, whole, how) => engine.search(words.join(" "), {
      tokenize: (text) => text.split(" "), processTerm: (word) => word, combineWith: how,
      prefix: (word) => word.length > 2, weights: { prefix: 0.5, fuzzy: 0.3 },
      boost: { title: 5, page: 1.5, code: 1, text: 1 },
      boostDocument: (id) => {
        const { glossary, api, title, address } = named[id];
        const exact = title === whole || address === whole || (api && address.endsWith(` ${whole}`));
        return (exact ? (glossary ? 12 : api ? 8 : 4) : 1) * (glossary ? 1.3 : 1);
      },
    });

    // Sections with all words, or with all parts of the names; where these are few, then those with some of the words.
    function find(query) {
      const typed = tokenize(query);
      const words = typed.map(asked).filter(Boolean);
      if (!words.length) return { words, all: 0, found: [] };
      const whole = words.join(" ");
      let found = ask(words, whole, "AND");
      if (!found.length) {
        const pieces = typed.flatMap((word) => (parts(word).length ? parts(word) : [word])).map(asked).filter(Boolean);
        if (pieces.length > words.length) found = ask(pieces, whole, "AND");
      }
      const all = found.length;
      if (all >= FEW || words.length === 1) return { words, all, found: found.map(({ id }) => sections[id]) };
      const first = new Set(found.map(({ id }) => id));
      const some = ask(words, whole, "OR").filter(({ id }) => !first.has(id))
        .sort((a, b) => b.queryTerms.length - a.queryTerms.length || b.score - a.score);
      return { words, all, found: [...found, ...some].map(({ id }) => sections[id]) };
    }

    // For each word that stands nowhere the nearest one that does, of several the one that stands in most places.
    function meant(query) {
      let changed = false;
      const better = tokenize(query).map((word) => {
        const plain = asked(word);
        if (!plain || ask([plain], plain, "AND").length) return word;
        const near = new Map();
        for (const { terms } of engine.search(plain, { processTerm: (term) => term, fuzzy: plain.length > 5 ? 2 : 1, prefix: false })) {
          for (const term of terms) near.set(term, (near.get(term) || 0) + 1);
        }
        const [best] = [...near].sort((a, b) => distance(plain, a[0]) - distance(plain, b[0]) || b[1] - a[1]);
        if (!best) return word;
        changed = true;
        return best[0];
      });
      return changed ? better.join(" ") : null;
    }
    return { find, meant };
  }

  // How many letters have to be added, left out, changed or swapped with their neighbour.
  function distance(a, b) {
    const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
    for (let i = 1; i <= a.length; i += 1) {
      rows.push([i]);
      for (let j = 1; j <= b.length; j += 1) {
        const same = a[i - 1] === b[j - 1] ? 0 : 1;
        let least = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + same);
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, rows[i - 2][j - 2] + 1);
        rows[i].push(least);
      }
    }
    return rows[a.length][b.length];
  }

  globalThis.attnbookSearch.prepare = prepare;
  if (typeof document === "undefined") return;

  const form = document.querySelector(".book-search");
  const input = document.querySelector("#search-words");
  const status = document.querySelector("#search-progress");
  const place = document.querySelector("#search-results");
  const h = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  if (!globalThis.MiniSearch || !globalThis.attnbookSearch.content) {
    status.textContent = "The list of words could not be loaded; reload the page, or use the contents.";
    return;
  }
  const { find, meant } = prepare(globalThis.MiniSearch, globalThis.attnbookSearch.content);

  const item = ([address, title, page, beginning]) => {
    const from = address.includes("#") ? h("span", { class: "book-found__page" }, page) : "";
    return h("li", {}, h("a", { href: address }, title), from, beginning ? h("p", {}, beginning) : "");
  };
  function list(found) {
    const items = h("ol", { class: "book-found" }, ...found.slice(0, SHOWN).map(item));
    place.replaceChildren(items);
    if (found.length <= SHOWN) return;
    const more = h("button", { type: "button", class: "book-button reader-button", onclick: () => {
      items.append(...found.slice(SHOWN).map(item));
      more.remove();
      items.children[SHOWN].querySelector("a").focus();
    } }, `Show all ${found.length}`);
    place.append(more);
  }
  const plural = (number, one) => `${number} ${one}${number === 1 ? "" : "s"}`;

  function show() {
    const query = input.value.trim();
    place.replaceChildren();
    status.textContent = "";
    if (!query) return;
    const { words, found, all } = find(query);
    if (!words.length) {
      status.textContent = "These words stand in every section; type one that is rarer.";
      return;
    }
    const better = all ? null : meant(query);
    const rest = found.length - all;
    if (!found.length) status.textContent = `Nothing is found for “${query}”.`;
    else if (!all) status.textContent = `No section has all of these words; ${plural(rest, "section")} with some of them.`;
    else status.textContent = `${plural(all, "section")}${rest ? `, and ${rest} with some of these words` : ""}.`;
    list(found);
    if (better) {
      place.prepend(h("p", { class: "book-meant" }, "Did you mean ", h("a", { href: `?q=${encodeURIComponent(better)}`, onclick: (event) => {
        event.preventDefault();
        input.value = better;
        go();
        input.focus();
      } }, better), "?"));
    }
  }
  // The address holds the question, so that going back from a result comes back to the list.
  function remember() {
    const query = input.value.trim();
    try {
      history.replaceState(null, "", query ? `?q=${encodeURIComponent(query)}` : location.pathname);
    } catch (error) { /* a page from a disk may not be allowed to change its address */ }
  }
  function go() {
    remember();
    show();
  }
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(go, 150);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    go();
    place.querySelector("a")?.focus();
  });
  // Arrows go through the results, and from the first one back to the words.
  document.querySelector("main").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [input, ...place.querySelectorAll("a")];
    const now = stops.indexOf(document.activeElement);
    if (!step || now < 0 || !stops[now + step]) return;
    event.preventDefault();
    stops[now + step].focus();
  });

  input.value = new URLSearchParams(location.search).get("q") || "";
  if (input.value) show();
  else input.focus();
})();
