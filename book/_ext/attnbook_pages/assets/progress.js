// The reader's own page: what was read, answered and solved; what is due again; files in and out.
"use strict";
(function () {
  const { store, today, ticks, chapterOf, onKept } = globalThis.attnbookReader;
  const terms = globalThis.attnbookReader.terms || {};
  const quizzes = globalThis.attnbookReader.quizzes || [];
  const place = document.querySelector("#reader");
  const exercises = JSON.parse(document.querySelector("#reader-exercises").textContent);
  // In the order of the contents, each once.
  const chapters = new Map();
  for (const link of document.querySelectorAll("#book-contents a[href]")) {
    const name = chapterOf(link);
    if (name && !chapters.has(name)) chapters.set(name, { name, title: link.textContent.replace("✓", "").trim(), href: link.href });
  }
  const number = (name) => Number(name.slice(0, 2));
  const cores = [...chapters.values()].filter(({ name }) => !name.includes("_lab_"));

  function h(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "html") element.innerHTML = value;
      else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat());
    return element;
  }
  const button = (text, onclick, more = {}) => h("button", { type: "button", class: "book-button reader-button", onclick, ...more }, text);
  const status = h("p", { role: "status", class: "reader-status" });
  const tell = (sentence) => { status.textContent = sentence; };
  const keep = (name, value) => store.write(name, value) || tell("This browser keeps nothing between visits: export your progress to keep it.");

  // --- what is known -------------------------------------------------------------------------------------------
  const isRight = (question, chosen) => {
    const right = [].concat(question.answer);
    return chosen.length === right.length && chosen.every((option) => right.includes(option));
  };
  function quizOf(quiz) {
    const kept = store.read(`quiz:${quiz.name}`, { answers: [], checked: [] });
    const checked = (kept.checked || []).filter(Boolean).length;
    const right = quiz.questions.filter((q, i) => kept.checked?.[i] && isRight(q, kept.answers?.[i] || [])).length;
    return { checked, right, of: quiz.questions.length };
  }
  const sum = (list, part) => list.reduce((total, item) => total + part(item), 0);
  function numbers(chapter) {
    const n = number(chapter.name);
    const own = quizzes.filter((quiz) => quiz.page === chapter.name).map(quizOf);
    const set = exercises.filter(([id]) => Number(id.split(".")[0]) === n);
    const solved = store.read("exercises", {});
    return {
      quiz: { right: sum(own, (q) => q.right), of: sum(own, (q) => q.of) },
      points: { got: sum(set.filter(([id]) => solved[id]), (e) => e[2]), of: sum(set, (e) => e[2]) },
    };
  }

  // --- the table and the ways through ---------------------------------------------------------------------------
  // Name, what it gives, its chapters: the same list as the page of paths has. The last one is the whole book.
  const WAYS = JSON.parse(document.querySelector("#reader-ways").textContent);
  let way = store.read("way", { index: WAYS.length - 1 }).index;
  if (!WAYS[way]) way = WAYS.length - 1;
  const tableBody = h("tbody");
  const wayNote = h("p");
  const table = h("table", { class: "reader-table" },
    h("thead", {}, h("tr", {}, ...["Read", "Chapter", "Quiz", "Exercises"].map((text) => h("th", { scope: "col" }, text)))), tableBody);
  function showTable() {
    const [, about, wanted] = WAYS[way];
    const read = store.read("read", {});
    const rows = cores.filter(({ name }) => wanted.includes(number(name)));
    tableBody.replaceChildren(...rows.map((chapter) => {
      const { quiz, points } = numbers(chapter);
      const box = h("input", { type: "checkbox", checked: Boolean(read[chapter.name]), "aria-label": `${chapter.title}: read`,
        onchange: () => {
          const now = store.read("read", {});
          if (box.checked) now[chapter.name] = today();
          else delete now[chapter.name];
          keep("read", now);
          refresh();
        } });
      return h("tr", {}, h("td", {}, h("label", { class: "reader-check" }, box)),
        h("th", { scope: "row" }, h("a", { href: chapter.href }, chapter.title)),
        h("td", {}, quiz.of ? `${quiz.right} of ${quiz.of}` : ""), h("td", {}, points.of ? `${points.got} of ${points.of} points` : ""));
    }));
    const done = rows.filter(({ name }) => read[name]).length;
    wayNote.textContent = `${about[0].toUpperCase()}${about.slice(1)}: ${done} of ${rows.length} chapters read.`;
  }
  const ways = h("fieldset", { class: "reader-ways" }, h("legend", {}, "Your way through the book"),
    ...WAYS.map(([name], index) => h("label", {}, h("input", { type: "radio", name: "way", checked: index === way, onchange: () => {
      way = index;
      keep("way", { index });
      showTable();
    } }), ` ${name}`)));

  // --- review: boxes of cards, each asked half as often as the one before it --------------------------------------
  const DAYS = [0, 1, 3, 7, 16, 35, 80];
  const NEW_A_DAY = 10;
  const plus = (day, days) => {
    const date = new Date(`${day}T12:00:00Z`);
    date.setUTCDate(date.getUTCDate() + days);
    return date.toISOString().slice(0, 10);
  };
  function allCards() {
    const cards = [];
    for (const [id, term] of Object.entries(terms)) {
      for (const page of term.chapters.slice(0, 1)) {
        cards.push({ id: `term:${id}`, page, front: `<p>What is <b>${term.term}</b>?</p>`, back: term.text });
      }
    }
    const escape = (text) => h("p", {}, text).innerHTML.replace(/`([^`]+)`/g, "<code>$1</code>").replace(/\*\*([^*]+)\*\*/g, "<b>$1</b>").replace(/\*([^*\s](?:[^*]*[^*\s])?)\*/g, "<em>$1</em>");
    for (const quiz of quizzes) {
      quiz.questions.forEach((question, i) => {
        const right = [].concat(question.answer);
        const options = question.options.map((option) => `<li>${escape(option)}</li>`).join("");
        const answers = right.map((o) => `<p><b>${escape(question.options[o])}</b> ${escape(question.explanations[o])}</p>`).join("");
        cards.push({ id: `quiz:${quiz.name}:${i}`, page: quiz.page, front: `<p>${escape(question.question)}</p><ul>${options}</ul>`, back: answers });
      });
    }
    return cards;
  }
  const deck = allCards();
  function due() {
    const read = store.read("read", {});
    const kept = store.read("cards", {});
    const now = today();
    const mine = deck.filter((card) => read[card.page]);
    const again = mine.filter(({ id }) => kept[id] && kept[id].due <= now && kept[id].missed !== now);
    // A card that was not known goes to the end of today's.
    const missed = mine.filter(({ id }) => kept[id]?.missed === now && kept[id].due <= now);
    const begun = mine.filter(({ id }) => kept[id]?.first === now).length;
    const fresh = mine.filter(({ id }) => !kept[id]).slice(0, Math.max(0, NEW_A_DAY - begun));
    return { cards: [...again, ...fresh, ...missed], mine: mine.length, next: mine.map(({ id }) => kept[id]?.due).filter((day) => day > now).sort()[0] };
  }
  const review = h("div", { class: "reader-card" });
  function showReview(focus = false) {
    const { cards, mine, next } = due();
    if (!cards.length) {
      review.replaceChildren(h("p", {}, !mine
        ? "Tick a chapter in the table above, or press “I have read this” at its end, and its terms and questions come here: today, tomorrow, and then ever more rarely."
        : next ? `Nothing is due today. The next card comes on ${next}.` : "Nothing is due today. New cards come tomorrow."));
      return;
    }
    const [card] = cards;
    const answer = h("div", { html: card.back, hidden: true });
    const put = (knew) => {
      const kept = store.read("cards", {});
      const old = kept[card.id] || { box: 0, first: today() };
      const box = knew ? Math.min(old.box + 1, DAYS.length - 1) : 0;
      kept[card.id] = { box, first: old.first, due: plus(today(), DAYS[box]) };
      if (!knew) {
        kept[card.id].missed = today();
        deck.push(deck.splice(deck.indexOf(card), 1)[0]);
      }
      keep("cards", kept);
      tell(knew ? `It comes back on ${kept[card.id].due}.` : "It comes back today.");
      showReview(true);
    };
    const knew = button("I knew it", () => put(true), { hidden: true });
    const not = button("Not yet", () => put(false), { hidden: true });
    const show = button("Show the answer", () => {
      answer.hidden = knew.hidden = not.hidden = false;
      show.hidden = true;
      knew.focus();
    });
    const chapter = chapters.get(card.page);
    review.replaceChildren(
      h("p", { class: "reader-small" }, `${cards.length} ${cards.length === 1 ? "card is" : "cards are"} due. From `, h("a", { href: chapter.href }, chapter.title)),
      h("div", { html: card.front }), answer, h("p", {}, show, knew, not));
    if (focus) show.focus();
  }

  // --- files -----------------------------------------------------------------------------------------------------
  function save(name, type, text) {
    const link = h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    tell(`Saved as ${name}.`);
  }
  const everything = () => Object.fromEntries(store.names().map((name) => [name, store.read(name, null)]).filter(([, value]) => value));
  const exportAll = () => save("attnbook-progress.json", "application/json", JSON.stringify({ attnbook: 1, exported: today(), kept: everything() }, null, 1));
  function exportAnki() {
    const one = (html) => html.replace(/\s+/g, " ").replace(/href="(?!https?:)[^"]*"/g, "");
    const lines = deck.map((card) => [one(card.front), one(card.back), `attnbook ${card.page}`].join("\t"));
    save("attnbook-anki.txt", "text/plain", `#separator:tab\n#html:true\n#columns:Front\tBack\tTags\n#tags column:3\n${lines.join("\n")}\n`);
  }
  // The lines of the file that Jupyter keeps: {"id": "2.3", "passed": true, "when": "2026-…"}.
  function solvedFrom(text) {
    const known = new Set(exercises.map(([id]) => id));
    const solved = {};
    for (const line of text.split("\n")) {
      try {
        const entry = JSON.parse(line);
        if (entry.passed === true && known.has(entry.id)) solved[entry.id] ||= String(entry.when).slice(0, 10);
      } catch (error) { /* a damaged line costs itself alone */ }
    }
    return solved;
  }
  function take(name, text) {
    let whole = null;
    try { whole = JSON.parse(text); } catch (error) { /* many lines, one a check */ }
    if (whole?.attnbook === 1 && whole.kept && typeof whole.kept === "object") {
      for (const [key, value] of Object.entries(whole.kept)) if (value && typeof value === "object") store.write(key, value);
      tell(`${name} was read: your progress of ${whole.exported} is back.`);
    } else {
      const solved = solvedFrom(text);
      const count = Object.keys(solved).length;
      if (!count) return tell(`${name} holds no progress: choose attnbook-progress.json, or the progress.jsonl that Jupyter keeps. Nothing was changed.`);
      keep("exercises", { ...solved, ...store.read("exercises", {}) });
      tell(`${name} was read: ${count} solved ${count === 1 ? "exercise" : "exercises"}.`);
    }
    refresh();
  }
  const file = h("input", { type: "file", id: "reader-file", accept: ".json,.jsonl,application/json", onchange: async () => {
    const [chosen] = file.files;
    if (chosen) take(chosen.name, await chosen.text());
    file.value = "";
  } });
  // Chromium opens the choice of a file on Space alone, and everything else here is pressed with Enter as well.
  file.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    file.click();
  });
  let sure = false;
  const erase = button("Erase everything", () => {
    if (!sure) {
      sure = true;
      erase.textContent = "Really erase: this cannot be undone";
      tell("Press the button again to erase what this browser keeps of your reading.");
      return;
    }
    for (const name of store.names()) store.remove(name);
    sure = false;
    erase.textContent = "Erase everything";
    tell("Everything is erased.");
    refresh();
  });
  erase.addEventListener("blur", () => {
    sure = false;
    erase.textContent = "Erase everything";
  });

  // --- the record ------------------------------------------------------------------------------------------------
  const record = h("div", { class: "reader-record" });
  const name = h("input", { type: "text", id: "reader-name", autocomplete: "name", oninput: () => showRecord() });
  function showRecord() {
    const solved = store.read("exercises", {});
    const done = exercises.filter(([id]) => solved[id]);
    const total = sum(exercises, (e) => e[2]);
    record.replaceChildren(
      h("p", {}, `${name.value.trim() || "A reader"} has solved ${done.length} of ${exercises.length} exercises, ${sum(done, (e) => e[2])} of ${total} points, by their own record of ${today()}.`),
      ...(done.length ? [h("table", {}, h("thead", {}, h("tr", {}, ...["Exercise", "Title", "Points", "Solved on"].map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, ...done.map(([id, title, points]) => h("tr", {}, h("th", { scope: "row" }, id), h("td", {}, title), h("td", {}, String(points)), h("td", {}, solved[id])))))] : []));
  }
  const print = button("Print this record", () => {
    document.documentElement.classList.add("printing-record");
    window.print();
  });
  addEventListener("afterprint", () => document.documentElement.classList.remove("printing-record"));

  function refresh() {
    ticks();
    showTable();
    showReview();
    showRecord();
  }
  const section = (id, title, ...children) => h("section", { "aria-labelledby": id }, h("h2", { id }, title), ...children);
  place.replaceChildren(
    section("reader-chapters", "Chapters", ways, wayNote, h("div", { class: "pst-scrollable-table-container" }, table)),
    section("reader-review", "Due today", review),
    section("reader-keep", "Keep it, move it, erase it",
      h("p", {}, button("Export my progress", exportAll), button("Cards for Anki", exportAnki), erase),
      h("p", {}, h("label", { for: "reader-file" }, "Import an exported file, or the exercises you solved in Jupyter (progress.jsonl): "), file)),
    section("reader-record", "A record to print", h("p", {}, h("label", { for: "reader-name" }, "Your name, as it shall stand there: "), name), record, h("p", {}, print)),
    status);
  refresh();
  onKept(() => {
    showTable();
    showRecord();
    // A card that is being answered stays where it is.
    if (!review.contains(document.activeElement)) showReview();
  });
})();
