// What a reader has done, kept on their device: chapters read, and a term's meaning where it is used.
"use strict";
(function () {
  const reader = (globalThis.attnbookReader ||= {});
  const PREFIX = "attnbook:";

  // Everything lies under names that begin with "attnbook:"; the quizzes keep their answers there too.
  const store = {
    read(name, fallback) {
      try {
        const value = JSON.parse(localStorage.getItem(PREFIX + name));
        return value && typeof value === "object" ? value : fallback;
      } catch (error) {
        return fallback;
      }
    },
    // False where the browser keeps nothing.
    write(name, value) {
      try {
        localStorage.setItem(PREFIX + name, JSON.stringify(value));
        return true;
      } catch (error) {
        return false;
      }
    },
    names() {
      try {
        return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));
      } catch (error) {
        return [];
      }
    },
    remove(name) {
      try { localStorage.removeItem(PREFIX + name); } catch (error) { /* nothing was kept */ }
    },
  };
  // The day on the reader's own calendar.
  const today = () => {
    const now = new Date();
    return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
  };
  const chapterOf = (link) => link.getAttribute("href").match(/(?:^|\/)chapters\/(\w+)\.html$/)?.[1];

  function ticks() {
    const read = store.read("read", {});
    for (const link of document.querySelectorAll("#book-contents a[href]")) {
      const name = chapterOf(link) || (link.getAttribute("href") === "#" ? document.querySelector("#chapter-read")?.dataset.chapter : null);
      if (!name) continue;
      link.querySelector(".book-tick")?.remove();
      if (!read[name]) continue;
      const tick = document.createElement("span");
      tick.className = "book-tick";
      tick.setAttribute("role", "img");
      tick.setAttribute("aria-label", "read");
      tick.textContent = "✓";
      link.append(tick);
    }
  }

  function readButton() {
    const button = document.querySelector("#chapter-read");
    if (!button) return;
    const note = document.querySelector("#chapter-read-note");
    const name = button.dataset.chapter;
    const show = () => {
      const day = store.read("read", {})[name];
      button.setAttribute("aria-pressed", String(Boolean(day)));
      note.textContent = day ? `Read on ${day}. Its terms and questions come back in your review.` : "";
    };
    button.addEventListener("click", () => {
      const read = store.read("read", {});
      if (read[name]) delete read[name];
      else read[name] = today();
      if (store.write("read", read)) show();
      else note.textContent = "This browser keeps nothing between visits, so this cannot be remembered.";
      ticks();
    });
    show();
    onKept(show);
  }

  // Another tab, or the page that was just left, may keep something after this page has read what is kept; and
  // a page that the browser takes back out of its memory shows what was kept when it was left.
  function onKept(show) {
    addEventListener("storage", (event) => { if (event.key === null || event.key.startsWith(PREFIX)) show(); });
    addEventListener("pageshow", (event) => { if (event.persisted) show(); });
  }

  // A card with the glossary's words, for the pointer and the keyboard; the link itself goes on working.
  function termCards() {
    const links = document.querySelectorAll("a.term");
    if (!links.length) return;
    const folder = document.querySelector("script[src*='/page.js']").src.replace(/page\.js.*$/, "");
    let loading = null;
    const load = () => {
      loading ||= new Promise((resolve) => {
        if (reader.terms) return resolve();
        const script = document.createElement("script");
        script.src = `${folder}terms.js`;
        script.onload = script.onerror = resolve;
        document.head.append(script);
      });
      return loading;
    };
    const card = document.createElement("div");
    card.className = "term-card";
    card.id = "term-card";
    card.setAttribute("role", "tooltip");
    card.hidden = true;
    document.querySelector("main").append(card);
    let wanted = null;
    let timer = 0;
    const hide = () => {
      clearTimeout(timer);
      wanted?.removeAttribute("aria-describedby");
      wanted = null;
      card.hidden = true;
    };
    // It stands under its word, or over it where there is no room, and goes with it when the text moves.
    const stand = () => {
      if (!wanted || card.hidden) return;
      const at = wanted.getBoundingClientRect();
      if (at.bottom < 0 || at.top > innerHeight) return hide();
      const width = Math.min(448, innerWidth - 32);
      card.style.width = `${width}px`;
      card.style.left = `${Math.max(16, Math.min(at.left, innerWidth - width - 16))}px`;
      const below = at.bottom + card.offsetHeight + 12 < innerHeight || at.top < card.offsetHeight + 80;
      card.style.top = `${below ? at.bottom + 6 : at.top - card.offsetHeight - 6}px`;
    };
    const show = async (link) => {
      if (wanted === link) return clearTimeout(timer);
      hide();
      wanted = link;
      await load();
      const term = reader.terms?.[decodeURIComponent(link.hash.slice(1))];
      if (wanted !== link || !term) return;
      card.innerHTML = term.text;
      card.hidden = false;
      link.setAttribute("aria-describedby", card.id);
      stand();
    };
    // The pointer may go over to the card, and Escape puts it away, as WCAG 1.4.13 wants.
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(hide, 250);
    };
    for (const link of links) {
      link.addEventListener("mouseenter", () => { clearTimeout(timer); timer = setTimeout(() => show(link), 200); });
      link.addEventListener("mouseleave", later);
      link.addEventListener("focus", () => show(link));
      link.addEventListener("blur", later);
    }
    card.addEventListener("mouseenter", () => clearTimeout(timer));
    card.addEventListener("mouseleave", later);
    addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
    addEventListener("scroll", stand, { passive: true });
    addEventListener("resize", stand);
  }

  Object.assign(reader, { store, today, ticks, chapterOf, onKept });
  ticks();
  readButton();
  onKept(ticks);
  termCards();
})();
