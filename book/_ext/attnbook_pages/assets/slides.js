/* A deck: one slide at a time, by keys, buttons or address; without this script, one under the other. */
(function () {
  "use strict";
  const slides = [...document.querySelectorAll(".slide")];
  const root = document.documentElement;
  const bar = document.querySelector(".bar");
  const place = document.getElementById("place");
  const notes = document.getElementById("notes");
  // Below this width a slide is read like a page, at the reader's own size of letters.
  const small = matchMedia("(max-width: 700px)");
  let shown = -1;

  /* Slides are laid out at 1280 × 720 and scaled as a whole. */
  function scale() {
    if (shown < 0 || small.matches) return;
    const room = slides[shown].querySelector(".room");
    const factor = Math.min(room.clientWidth / 1280, room.clientHeight / 720);
    root.style.setProperty("--scale", factor.toFixed(4));
  }

  /* Text that is too long for its slide gets smaller, not cut. */
  function fit() {
    root.classList.add("measuring");
    for (const slide of slides) {
      const body = slide.querySelector(".body");
      body.style.fontSize = "";
      const over = () => body.scrollHeight > body.clientHeight + 4 || body.scrollWidth > body.clientWidth + 4;
      for (let size = 0.95; over() && size > 0.4; size -= 0.05) body.style.fontSize = size.toFixed(2) + "em";
    }
    root.classList.remove("measuring");
  }

  function show(number, focus) {
    const next = Math.max(0, Math.min(slides.length - 1, number));
    if (next === shown) return;
    shown = next;
    slides.forEach((slide, i) => (slide.hidden = i !== shown));
    place.textContent = shown + 1 + " / " + slides.length;
    for (const button of bar.querySelectorAll("[data-go]")) {
      const end = button.dataset.go === "first" || button.dataset.go === "previous" ? 0 : slides.length - 1;
      button.setAttribute("aria-disabled", String(shown === end));
    }
    if (location.hash !== "#" + (shown + 1)) history.replaceState(null, "", "#" + (shown + 1));
    scale();
    scrollTo(0, 0);
    if (focus) slides[shown].querySelector("h2").focus({ preventScroll: true });
  }

  function go(where, focus) {
    const to = { first: 0, previous: shown - 1, next: shown + 1, last: slides.length - 1 };
    show(to[where], focus);
  }

  function addressed() {
    const number = Number.parseInt(location.hash.slice(1), 10);
    return Number.isNaN(number) ? 0 : number - 1;
  }

  function toggleNotes() {
    const on = root.classList.toggle("with-notes");
    notes.setAttribute("aria-pressed", String(on));
    scale();
  }

  const KEYS = {
    ArrowRight: "next", ArrowDown: "next", PageDown: "next", " ": "next",
    ArrowLeft: "previous", ArrowUp: "previous", PageUp: "previous", Home: "first", End: "last",
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target.closest("a, button, summary")) return;
    // A page that scrolls keeps the keys that scroll it.
    if (small.matches && /^(Arrow(Up|Down)|Page|Home|End| )/.test(event.key)) return;
    if (event.key === "n" || event.key === "N") toggleNotes();
    else if (event.key === " " && event.shiftKey) go("previous", true);
    else if (KEYS[event.key]) go(KEYS[event.key], true);
    else return;
    event.preventDefault();
  });
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-go]");
    if (button) go(button.dataset.go, false);
  });
  notes.addEventListener("click", toggleNotes);
  addEventListener("hashchange", () => show(addressed(), true));
  addEventListener("resize", scale);
  small.addEventListener("change", () => { if (!small.matches) fit(); scale(); });

  root.classList.add("scripted");
  bar.hidden = false;
  show(addressed(), false);
  // Letters and pictures have their sizes only when both have arrived.
  const pictures = [...document.images].map((picture) => picture.decode().catch(() => {}));
  Promise.all([document.fonts.ready, ...pictures]).then(() => {
    fit();
    scale();
    root.dataset.settled = "";
  });
})();
