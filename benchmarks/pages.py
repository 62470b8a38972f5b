"""Every page of the book in figures: one line a page, and what breaks a promise.

    python benchmarks/pages.py [--html FOLDER] [--runs 5] [--out FILE] [NAME…]

A page is opened with an empty cache from a server on this machine. Bytes are HTML, style sheets, scripts and
fonts, uncompressed, figures aside; requests count everything that the page asked for before it was touched.
A widget is ready when its root stands in the page; the median of the visits is given, and their spread.
Screens are of 1280 × 800, folds closed; words are those of the text, code and folds aside. `page.py` sets a
chapter beside the same one by Jupyter Book's defaults.

Promised for every page: no request off its origin, no error in the console, no accessibility violation
(axe, light, the size of targets included), and no search index, card or model before a reader asks.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from page import FIRST_WIDGET, ROOT, TYPES, serve

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "book"), str(ROOT / "book" / "_ext")]

WORDS = """
() => {
  const article = document.querySelector("article").cloneNode(true);
  const left_out = "pre, .highlight, details.fold, script, style, math, .attnbook-widget, table";
  article.querySelectorAll(left_out).forEach((part) => part.remove());
  return (article.textContent.match(/[\\p{L}\\p{N}]+(?:['’-][\\p{L}\\p{N}]+)*/gu) || []).length;
}
"""


def build() -> Path:
    """The book's pages, built as `make book` does."""
    subprocess.run([sys.executable, str(ROOT / "book" / "build.py")], check=True, stdout=subprocess.DEVNULL)
    return ROOT / "book" / "_build" / "html"


def first_visit(context, name: str, address: str, origin: str, axe: str) -> dict:
    """All figures of one page."""
    from rules import early, settle

    page = context.new_page()
    asked, loaded, errors = [], [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda answer: loaded.append(answer))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(f"({FIRST_WIDGET})()")
    page.goto(address)
    settle(page)
    page.wait_for_load_state("networkidle")
    asked = [url for url in asked if not url.startswith(("data:", "blob:"))]
    sizes = dict.fromkeys(sorted(TYPES), 0)
    for answer in loaded:
        if answer.request.resource_type in TYPES and answer.ok:
            sizes[answer.request.resource_type] += len(answer.body())
    found = {
        "sizes": sizes,
        "bytes": sum(sizes.values()),
        "requests": len(asked),
        "elsewhere": [url for url in asked if not url.startswith(origin)],
        "early": early(asked, name),
        "errors": list(errors),
        "screens": page.evaluate("document.documentElement.scrollHeight") / 800,
        "words": page.evaluate(WORDS),
        "ms": [page.evaluate("window.first_widget_ms ?? null")],
    }
    page.evaluate(axe)
    rules = "{resultTypes: ['violations'], rules: {'target-size': {enabled: true}}}"
    violations = page.evaluate(f"() => axe.run(document, {rules}).then((result) => result.violations)")
    found["axe"] = [f"{rule['id']}: {node['html'][:120]}" for rule in violations for node in rule["nodes"]]
    return found


def again(context, address: str) -> float:
    """Milliseconds to the first widget, on one more visit."""
    page = context.new_page()
    page.add_init_script(f"({FIRST_WIDGET})()")
    page.goto(address)
    page.wait_for_function("window.first_widget_ms !== undefined", timeout=60_000)
    return page.evaluate("window.first_widget_ms")


def measure(html: Path, names: list[str], runs: int) -> dict[str, dict]:
    """The figures of each page, visited one after the other."""
    from attnbook_pages.packages import npm_file
    from playwright.sync_api import sync_playwright

    from support import CHROMIUM_FLAGS, find_chromium

    path = find_chromium()
    if path is None:
        sys.exit(
            "pages.py: Chromium is missing; install Debian's package chromium, or set ATTNBOOK_CHROMIUM."
        )
    axe = npm_file("axe-core/axe.min.js").read_text(encoding="utf-8")
    server = serve(html)
    origin = f"http://127.0.0.1:{server.server_port}"
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        # The first page that a browser draws is slow whatever it holds.
        warming = browser.new_page()
        warming.goto(f"{origin}/{names[0]}.html")
        warming.close()
        for name in names:
            for turn in range(runs):
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                context.set_default_timeout(180_000)  # a busy machine is slow, and no less right
                address = f"{origin}/{name}.html"
                if turn == 0:
                    found[name] = first_visit(context, name, address, origin, axe)
                elif found[name]["ms"][0] is not None:
                    found[name]["ms"].append(again(context, address))
                context.close()
            print(line(name, found[name]), flush=True)
        browser.close()
    server.shutdown()
    server.server_close()
    return found


COLUMNS = ["page", "kB", "HTML", "scripts", "requests", "off origin", "errors", "first widget, ms", "axe"]
COLUMNS += ["screens", "words"]
HEAD = "| " + " | ".join(COLUMNS) + " |\n|---" + "|---:" * (len(COLUMNS) - 1) + "|"


def line(name: str, page: dict) -> str:
    """One row of the table."""
    times = page["ms"]
    if times[0] is None:
        ready = "–"
    else:
        ready = f"{statistics.median(times):.0f} ({min(times):.0f}–{max(times):.0f})"
    kilobytes = [page["bytes"], page["sizes"]["document"], page["sizes"]["script"]]
    cells = [
        name,
        *(f"{size / 1000:.0f}" for size in kilobytes),
        page["requests"],
        len(page["elsewhere"]),
        len(page["errors"]),
        ready,
        len(page["axe"]),
        f"{page['screens']:.1f}",
        f"{page['words']:,}",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def broken(found: dict[str, dict]) -> list[str]:
    """What does not keep the promises, one sentence each."""
    promises = {"elsewhere": "asks", "errors": "says", "axe": "breaks", "early": "has"}
    return [
        f"{name} {verb}: {item}"
        for name, page in found.items()
        for key, verb in promises.items()
        for item in page[key]
    ]


def main() -> int:
    """Measure and print; 1 when a page breaks a promise."""
    from rules import pages

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="pages, such as book/glossary; else all")
    parser.add_argument("--html", type=Path, help="built pages; else the book is built")
    parser.add_argument("--runs", type=int, default=5, help="visits of a page that has a widget")
    parser.add_argument("--out", type=Path, help="file for the figures (JSON)")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in pages()]
    if unknown:
        parser.error(f"no page {unknown[0]}; choose from those that _toc.yml lists")
    html = options.html or build()
    if not (html / "book").is_dir():
        parser.error(f"--html: {html} holds no pages of the book; run `make book`")
    print(HEAD)
    found = measure(html, options.names or pages(), options.runs)
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sentences = broken(found)
    print("\n".join(sentences) or f"all {len(found)} pages keep what is promised")
    return int(bool(sentences))


if __name__ == "__main__":
    sys.exit(main())
