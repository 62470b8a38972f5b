// What a page does by itself: colours, contents, copying code, regions that scroll by keyboard.
"use strict";
(function () {
  const root = document.documentElement;
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => document.querySelectorAll(selector);

  function colours() {
    const button = find("#theme-toggle");
    const system = matchMedia("(prefers-color-scheme: dark)");
    const names = { auto: "as the system has them", light: "light", dark: "dark" };
    const show = (mode) => {
      root.dataset.mode = mode;
      root.dataset.theme = mode === "auto" ? (system.matches ? "dark" : "light") : mode;
      button.setAttribute("aria-label", `Colours: ${names[mode]}`);
      button.title = button.getAttribute("aria-label");
    };
    button.addEventListener("click", () => {
      const order = system.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
      const mode = order[(order.indexOf(root.dataset.mode) + 1) % order.length];
      show(mode);
      try { localStorage.setItem("mode", mode); } catch (error) { /* no storage: the choice lasts for this page */ }
    });
    system.addEventListener("change", () => root.dataset.mode === "auto" && show("auto"));
    show(root.dataset.mode);
  }

  // On a wide window the contents stand beside the text and the button hides them; on a narrow one they open over it.
  function contents() {
    const button = find("#contents-toggle");
    const panel = find("#book-contents");
    const dialog = find("#contents-dialog");
    const wide = matchMedia("(min-width: 62rem)");
    const beside = () => wide.matches;
    const tell = () =>
      button.setAttribute("aria-expanded", String(beside() ? !root.classList.contains("contents-hidden") : dialog.open));
    const home = panel.parentElement;
    dialog.addEventListener("close", () => {
      home.prepend(panel);
      tell();
      button.focus();
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("a[href]")) dialog.close();
    });
    button.addEventListener("click", () => {
      if (beside()) {
        root.classList.toggle("contents-hidden");
      } else {
        dialog.append(panel);
        dialog.showModal();
      }
      tell();
    });
    wide.addEventListener("change", () => {
      if (dialog.open) dialog.close();
      tell();
    });
    const here = panel.querySelector("a.current, .current > a");
    if (here) here.setAttribute("aria-current", "page");
    tell();
  }

  function pageContents() {
    const details = find(".book-page details");
    if (!details) return;
    const wide = matchMedia("(min-width: 80rem)");
    const fit = () => { details.open = wide.matches; };
    wide.addEventListener("change", fit);
    fit();
    const links = new Map();
    for (const link of details.querySelectorAll("a[href^='#']")) {
      const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (target) links.set(target.querySelector("h1, h2, h3, h4") || target, link);
    }
    // Marked is the last heading above the top quarter of the window, wherever the reader jumped.
    let last = null;
    let waiting = false;
    const mark = () => {
      waiting = false;
      let now = null;
      for (const [heading, link] of links) {
        if (heading.getBoundingClientRect().top < innerHeight / 4) now = link;
      }
      if (now === last) return;
      if (last) last.removeAttribute("aria-current");
      if (now) now.setAttribute("aria-current", "true");
      last = now;
    };
    addEventListener("scroll", () => {
      if (!waiting) requestAnimationFrame(mark);
      waiting = true;
    }, { passive: true });
    mark();
  }

  function copying() {
    if (!navigator.clipboard) return;
    for (const block of all(".cell_input .highlight, .bd-article > section div[class*='highlight-'] > .highlight")) {
      if (block.querySelector(".copy-button")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy-button";
      button.textContent = "Copy";
      button.setAttribute("aria-label", "Copy this code");
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(block.querySelector("pre").textContent);
          button.textContent = "Copied";
        } catch (error) {
          button.textContent = "Not allowed";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 1600);
      });
      block.append(button);
    }
  }

  // One button opens every fold of the page and closes them again; a reader who opens one by hand is left alone.
  function folds() {
    const button = find("#folds-toggle");
    const places = all("details.fold");
    if (!places.length) return;
    button.hidden = false;
    button.title = "Set-up, drawing and checks are folded away: open or close them all";
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(open));
      for (const place of places) place.open = open;
    });
  }

  // A formula or a table that is wider than the page is drawn smaller; a table that is still wider breaks its words.
  function fitting() {
    const shrink = (place, least) => {
      place.style.fontSize = "";
      const ratio = place.clientWidth / place.scrollWidth;
      if (ratio < 1) place.style.fontSize = `${Math.max(least, Math.floor(ratio * 97) / 100)}em`;
    };
    const wide = matchMedia("(min-width: 48rem)");
    // Each cell then says by itself what column it is of.
    const stack = (place) => {
      const heads = [...place.querySelectorAll("thead th")].map((head) => head.textContent.trim());
      for (const row of place.querySelectorAll("tbody tr")) {
        [...row.children].forEach((cell, i) => heads[i] && cell.setAttribute("data-head", heads[i]));
      }
      place.style.fontSize = "";
      place.classList.add("stacked");
    };
    const fit = () => {
      for (const formula of all(".math-block")) shrink(formula, 0.5);
      for (const table of all(".pst-scrollable-table-container")) {
        table.classList.remove("tight", "stacked");
        shrink(table, wide.matches ? 0.65 : 0.75);
        table.classList.toggle("tight", table.scrollWidth > table.clientWidth);
        if (table.scrollWidth > table.clientWidth) stack(table);
      }
    };
    addEventListener("resize", fit);
    addEventListener("afterprint", fit);
    addEventListener("beforeprint", () => {
      for (const table of all(".pst-scrollable-table-container")) {
        table.classList.remove("tight", "stacked");
        table.style.fontSize = "";
      }
    });
    fit();
    if (document.fonts) document.fonts.ready.then(fit);
  }

  // What is wider than the page scrolls by itself; a keyboard must be able to reach it. The observer tells when the
  // window changes, and when a fold is opened, before which nothing in it has a width.
  function scrolling() {
    const places = [...all("pre, .math-block, .pst-scrollable-table-container, .cell_output > .output")]
      .filter((place) => !place.closest(".attnbook-widget"));
    const mark = (place) => {
      if (place.scrollWidth > place.clientWidth + 1) place.tabIndex = 0;
      else place.removeAttribute("tabindex");
    };
    const sizes = new ResizeObserver((changes) => { for (const { target } of changes) mark(target); });
    for (const place of places) sizes.observe(place);
    if (document.fonts) document.fonts.ready.then(() => places.forEach(mark));
  }

  // The widgets live by now; from here on the whole page is laid out.
  root.classList.remove("opening");
  colours();
  contents();
  pageContents();
  copying();
  folds();
  fitting();
  scrolling();
})();
