// A way through the book as a checklist: what was read is ticked here, and what is ticked here was read.
"use strict";
(function () {
  const { store, today, ticks, onKept } = globalThis.attnbookReader;
  const exercises = JSON.parse(document.querySelector("#reader-exercises")?.textContent || "[]");
  const places = [...document.querySelectorAll(".reading-path")];
  const boxes = (place) => [...place.querySelectorAll("input[type='checkbox']")];
  // Pages lie under "read", as everywhere; steps that are no page under "steps".
  const where = (box) => (box.dataset.read ? ["read", box.dataset.read] : ["steps", box.dataset.do]);

  function show() {
    const solved = store.read("exercises", {});
    for (const place of places) {
      for (const box of boxes(place)) {
        const [kind, name] = where(box);
        box.checked = Boolean(store.read(kind, {})[name]);
      }
      const all = boxes(place);
      const done = all.filter((box) => box.checked).length;
      place.querySelector(".reading-path__done").textContent =
        `${place.dataset.name}: ${done} of ${all.length} done${done === all.length ? ". You have arrived." : "."}`;
      for (const mark of place.querySelectorAll("[data-exercise]")) {
        mark.classList.toggle("reading-path__solved", Boolean(solved[mark.dataset.exercise]));
      }
      for (const mark of place.querySelectorAll("[data-points]")) {
        const mine = exercises.filter(([id]) => id.split(".")[0] === mark.dataset.points && solved[id]);
        const points = mine.reduce((sum, entry) => sum + entry[2], 0);
        mark.textContent = points ? `(${points} ${points === 1 ? "point" : "points"} solved)` : "";
      }
    }
    ticks();
  }
  for (const place of places) {
    place.addEventListener("change", ({ target }) => {
      const [kind, name] = where(target);
      const kept = store.read(kind, {});
      if (target.checked) kept[name] = today();
      else delete kept[name];
      const remembered = store.write(kind, kept);
      show();
      if (!remembered) {
        target.checked = !target.checked;
        place.querySelector(".reading-path__done").textContent =
          "This browser keeps nothing between visits, so this cannot be remembered; print the list.";
      }
    });
    place.querySelector("button").addEventListener("click", () => {
      place.classList.add("printing");
      document.documentElement.classList.add("printing-path");
      window.print();
    });
  }
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing-path");
    places.forEach((place) => place.classList.remove("printing"));
  });
  // A chapter that was marked in another tab is ticked here at once.
  onKept(show);
  show();
})();
