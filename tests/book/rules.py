"""What every page of the book keeps: each rule takes an open page and returns the breaches, in sentences."""

import yaml

from support import ROOT


def listed(entry: dict) -> list[str]:
    """A page of the table of contents and those under it."""
    under = (child for key in ("parts", "chapters", "sections") for child in entry.get(key, ()))
    own = [entry[key] for key in ("root", "file") if key in entry]
    return own + [name for child in under for name in listed(child)]


def pages() -> list[str]:
    """What the table of contents lists, in its order."""
    return listed(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))


def settle(page) -> None:
    """Until every widget of the page is drawn or has said why not, and its fonts are there."""
    page.wait_for_function(
        "[...document.querySelectorAll('.attnbook-widget')].every((place) => place.dataset.state)",
        timeout=60_000,
    )
    page.evaluate("document.fonts.ready.then(() => true)")


def leave(page, act) -> None:
    """Go to another page after a moment, as a reader does.

    What a page keeps reaches the next one through another process of the browser, and nothing tells when.
    """
    page.wait_for_timeout(300)
    act()


def whole(page, name: str) -> list[str]:
    """A widget that failed, a picture without words, a missing or needless button for Colab."""
    found = [f"a widget failed: {text}" for text in page.locator(".attnbook-failure").all_inner_texts()]
    silent = page.locator("main img").evaluate_all(
        "all => all.filter((i) => !i.alt.trim()).map((i) => i.src)"
    )
    found += [f"a picture has no alternative text: {address}" for address in silent]
    if page.locator("a.launch-button").count() != int((ROOT / f"{name}.ipynb").is_file()):
        found.append("the button for Colab is missing, or leads nowhere")
    return found


# What is loaded when a reader asks for it: the search, the cards of terms and quizzes, the trained models.
LATER = ("/minisearch.js", "/search_content.js", "/terms.js", "/quizzes.js", "/models/")


def early(asked: list[str], name: str) -> list[str]:
    """What was loaded before a reader asked for it; the page of the cards needs the cards."""
    if name == "book/progress":
        return []
    return [f"loaded unasked: {address}" for address in asked if any(part in address for part in LATER)]


def moving(page) -> list[str]:
    """What moves although the reader asked for no motion."""
    return page.evaluate(
        """document.getAnimations()
             .filter((one) => one.playState === "running")
             .filter((one) => one.effect.getComputedTiming().activeDuration > 10)
             .map((one) => `moves: ${one.effect.target.outerHTML.slice(0, 100)}`)"""
    )


def hidden_focus(page) -> list[str]:
    """What lies under the bar when the keyboard comes to it from below (WCAG 2.2, 2.4.11).

    Backwards, because a browser then scrolls so far that the element touches the upper edge.
    """
    return page.evaluate(
        """() => {
          const bar = document.querySelector(".book-bar");
          const kinds = "a[href], button, input, select, summary, [tabindex='0']";
          const stops = [...document.querySelectorAll(`main :is(${kinds})`)]
            .filter((stop) => !stop.disabled && stop.checkVisibility());
          const hidden = [];
          scrollTo(0, document.documentElement.scrollHeight);
          for (const stop of stops.reverse()) {
            stop.focus();
            const box = stop.getBoundingClientRect();
            const under = box.height && box.bottom <= bar.getBoundingClientRect().bottom + 1;
            if (document.activeElement === stop && under)
              hidden.push(`lies under the bar when it has the focus: ${stop.outerHTML.slice(0, 100)}`);
          }
          document.activeElement.blur();
          scrollTo(0, 0);
          return hidden;
        }"""
    )


# What scrolls sideways or lies beyond its column; a widget has its own test.
CUT = """
(selector) => [...document.querySelectorAll(selector)]
  .filter((place) => !place.closest('.attnbook-widget') && place.scrollWidth > place.clientWidth + 1)
  .map((place) => `${place.scrollWidth - place.clientWidth} dots of: ${place.innerText.trim().slice(0, 80)}`)
"""
CODE = "main pre"
OTHERS = (
    "main .math-block, main .pst-scrollable-table-container, main .cell_output, main p, main li, main figure"
)


def cut(page, selector: str) -> list[str]:
    """What is cut off at the right."""
    width = page.viewport_size["width"]
    return [f"cut at {width}: {place}" for place in page.evaluate(f"({CUT})({selector!r})")]


def sideways(page) -> list[str]:
    """Whether the page as a whole scrolls sideways."""
    width = page.viewport_size["width"]
    beyond = page.evaluate("document.documentElement.scrollWidth") - width
    return [f"the page is {beyond} dots wider than {width}"] if beyond > 0 else []
