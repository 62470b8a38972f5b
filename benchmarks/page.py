"""A chapter's page beside the same chapter built with Jupyter Book's defaults: bytes, first widget, builds.

    python benchmarks/page.py [--chapter FILE] [--runs 7] [--out FILE]

Both pages come from one machine in one run, turn by turn, each time with an empty cache. What the default
page asks of content delivery networks (require.js, the widget manager, anywidget, MathJax and its fonts) is
installed from npm at the versions it names, served from the same machine and counted. Bytes are HTML, style
sheets, scripts and fonts, uncompressed; figures are left out on both sides. Targets: one
eighteenth of the bytes, a fifth of the time.
"""

import argparse
import functools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "book" / "_ext")]

CACHE = ROOT / "book" / "_build" / "cache" / "defaults"
MOST_BYTES = 1 / 18
MOST_TIME = 1 / 5
TYPES = {"document", "stylesheet", "script", "font"}

# A widget of ours is alive when its root element stands in the page: `section.ab`, in both pages.
FIRST_WIDGET = """
() => {
  const look = () => {
    if (window.first_widget_ms === undefined && document.querySelector("section.ab button")) {
      window.first_widget_ms = performance.now();
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
}
"""

DEFAULT_CONFIG = """title: Attention
author: Authors
only_build_toc_files: true
execute:
  execute_notebooks: "off"
launch_buttons:
  colab_url: "https://colab.research.google.com"
"""


def build_ours(root: Path, output: Path) -> tuple[Path, float, float]:
    """Build the book afresh and again unchanged: its pages, and the seconds of both builds."""
    command = [sys.executable, str(ROOT / "book" / "build.py"), "--root", str(root), "--output", str(output)]
    seconds = []
    for _ in range(2):
        started = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.monotonic() - started)
    return output / "_build" / "html", *seconds


def our_root(chapter: Path, folder: Path) -> Path:
    """The checkout itself for one of its chapters; for another notebook, our pages with that chapter."""
    if chapter.resolve().is_relative_to(ROOT / "chapters"):
        listed = (ROOT / "_toc.yml").read_text(encoding="utf-8")
        if f"chapters/{chapter.stem}" in listed:
            return ROOT
    root = folder / "ours"
    (root / "chapters").mkdir(parents=True)
    shutil.copytree(
        ROOT / "book", root / "book", ignore=shutil.ignore_patterns("_build", "_ext", "node_modules")
    )
    shutil.copyfile(ROOT / "_config.yml", root / "_config.yml")
    shutil.copyfile(chapter, root / "chapters" / chapter.name)
    pages = [f"  - file: book/{name}" for name in ("how_to_use", "notation", "glossary", "licences")]
    listed = [
        "format: jb-book",
        "root: book/intro",
        "chapters:",
        f"  - file: chapters/{chapter.stem}",
        *pages,
    ]
    (root / "_toc.yml").write_text("\n".join(listed) + "\n", encoding="utf-8")
    return root


def build_default(chapter: Path, root: Path) -> Path:
    """The same notebook, built by Jupyter Book as it comes."""
    (root / "chapters").mkdir(parents=True)
    # The glossary is there for the chapter's links to it.
    shutil.copytree(ROOT / "book", root / "book", ignore=shutil.ignore_patterns("_*", "node_modules", "*.py"))
    shutil.copyfile(chapter, root / "chapters" / chapter.name)
    (root / "_config.yml").write_text(DEFAULT_CONFIG, encoding="utf-8")
    listed = ["format: jb-book", "root: book/notation", "chapters:", f"  - file: chapters/{chapter.stem}"]
    listed += ["  - file: book/glossary"]
    (root / "_toc.yml").write_text("\n".join(listed) + "\n", encoding="utf-8")
    run = "import sys; from jupyter_book.cli.main import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", run, "build", str(root), "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    html = root / "_build" / "html"
    if not (html / "chapters" / f"{chapter.stem}.html").is_file():
        sys.exit(
            f"page.py: Jupyter Book did not build {chapter.name} with its defaults:\n{done.stderr[-2000:]}"
        )
    return html


def install_network_files(page: str) -> None:
    """Fill the folder that stands for the networks from npm, at the versions that the page names."""
    from attnbook_pages.node import node, npm

    manager = re.search(r"html-manager@([\d.]+)", page)
    widget = re.search(r'"_(?:model|view)_module_version": ?"~?([\d.]+?)\.?\*?"', page)
    if manager is None:
        sys.exit("page.py: the default page names no widget manager; does the chapter show a widget?")
    wanted = {
        "requirejs": "2.3.4",
        "uglify-js": "3.19.3",
        "mathjax": "3",
        "@jupyter-widgets/html-manager": manager.group(1),
        "anywidget": f"~{anywidget_version(page) or (widget.group(1) if widget else '0.9')}",
    }
    stamp = CACHE / "wanted.json"
    if not stamp.is_file() or json.loads(stamp.read_text(encoding="utf-8")) != wanted:
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        (CACHE / "package.json").write_text('{"private": true}', encoding="utf-8")
        packages = [f"{name}@{version}" for name, version in wanted.items()]
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--legacy-peer-deps"]
        subprocess.run([*npm(), "install", *quiet, *packages], cwd=CACHE, check=True, capture_output=True)
        # The network serves require.js minified.
        modules = CACHE / "node_modules"
        script = modules / "uglify-js" / "bin" / "uglifyjs"
        small = ["--compress", "--mangle", "--output", str(modules / "require.min.js")]
        command = [node(), str(script), str(modules / "requirejs" / "require.js"), *small]
        subprocess.run(command, check=True, capture_output=True)
        stamp.write_text(json.dumps(wanted), encoding="utf-8")


def anywidget_version(page: str) -> str | None:
    """The version of anywidget that the stored widgets ask for, such as 0.11.0."""
    found = re.search(r'"_model_module": "anywidget", "_model_module_version": "~?([\d.]+?)(?:\.\*)?"', page)
    return found.group(1) if found else None


def localise(html: Path) -> None:
    """Point the default pages at this machine instead of the networks."""
    for page in html.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        text = re.sub(r"https://cdnjs\.cloudflare\.com/[^\"]*require\.min\.js", "/npm/require.min.js", text)
        text = text.replace("https://cdn.jsdelivr.net/npm/", "/npm/")
        text = re.sub(r' integrity="[^"]*"', "", text)
        page.write_text(text, encoding="utf-8")


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, and below /npm/ the installed packages, whose folders name no version."""

    def translate_path(self, path: str) -> str:
        if path.startswith("/npm/"):
            name = re.sub(r"^/npm/((?:@[\w-]+/)?[\w.-]+)(?:@[^/]+)?", r"\1", path.split("?")[0])
            return str(CACHE / "node_modules" / name)
        return super().translate_path(path)

    def log_message(self, *_: object) -> None:
        pass


def serve(html: Path) -> ThreadingHTTPServer:
    """A server of one folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def visit(browser, address: str) -> dict:
    """Open the page with an empty cache: milliseconds to its first live widget, and what it loaded."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    loaded, elsewhere = [], []

    def note(response) -> None:
        if not response.url.startswith(address.split("/chapters/")[0]):
            elsewhere.append(response.url)
        elif response.request.resource_type in TYPES and response.ok:
            loaded.append((response.request.resource_type, response))

    page.on("response", note)
    page.on("requestfailed", lambda request: elsewhere.append(request.url))
    page.add_init_script(f"({FIRST_WIDGET})()")
    page.goto(address)
    page.wait_for_function("window.first_widget_ms !== undefined", timeout=60_000)
    page.wait_for_load_state("networkidle")
    sizes: dict[str, int] = dict.fromkeys(sorted(TYPES), 0)
    for kind, response in loaded:
        sizes[kind] += len(response.body())
    milliseconds = page.evaluate("window.first_widget_ms")
    context.close()
    return {"ms": milliseconds, "sizes": sizes, "elsewhere": elsewhere}


def measure(pages: dict[str, str], runs: int) -> dict[str, list[dict]]:
    """Visit the pages turn by turn; the first turn warms the machine and is not counted."""
    from playwright.sync_api import sync_playwright

    from support import CHROMIUM_FLAGS, find_chromium

    path = find_chromium()
    if path is None:
        sys.exit("page.py: Chromium is missing; install Debian's package chromium, or set ATTNBOOK_CHROMIUM.")
    found: dict[str, list[dict]] = {name: [] for name in pages}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        for turn in range(runs + 1):
            for name, address in pages.items():
                seen = visit(browser, address)
                if turn:
                    found[name].append(seen)
        browser.close()
    return found


def report(found: dict[str, list[dict]], fresh: float, again: float) -> dict:
    """Print the table; return its figures."""
    kinds = sorted(TYPES)
    sizes = {
        name: {kind: max(one["sizes"][kind] for one in runs) for kind in kinds}
        for name, runs in found.items()
    }
    total = {name: sum(parts.values()) for name, parts in sizes.items()}
    times = {name: [one["ms"] for one in runs] for name, runs in found.items()}
    middle = {name: statistics.median(values) for name, values in times.items()}
    print(f"{'':26}{'this book':>14}{'defaults':>14}{'ratio':>9}")
    for kind in kinds:
        print(f"{kind + ', bytes':26}{sizes['ours'][kind]:>14,}{sizes['defaults'][kind]:>14,}")
    ratio = {"bytes": total["ours"] / total["defaults"], "time": middle["ours"] / middle["defaults"]}
    print(f"{'all of them, bytes':26}{total['ours']:>14,}{total['defaults']:>14,}{ratio['bytes']:>9.3f}")
    print(
        f"{'first live widget, ms':26}{middle['ours']:>14.0f}{middle['defaults']:>14.0f}{ratio['time']:>9.3f}"
    )
    for name, values in times.items():
        print(f"  {name}: {' '.join(f'{value:.0f}' for value in sorted(values))} ms, {len(values)} visits")
    print(f"book built afresh {fresh:.1f} s, again without a change {again:.1f} s")
    print(
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        if hasattr(os, "getloadavg")
        else ""
    )
    elsewhere = {
        name: sorted({url for one in runs for url in one["elsewhere"]}) for name, runs in found.items()
    }
    for name, urls in elsewhere.items():
        print(f"requests that left the server or failed, {name}: {len(urls)} {' '.join(urls[:3])}")
    met = {"bytes": ratio["bytes"] <= MOST_BYTES, "time": ratio["time"] <= MOST_TIME}
    met["own origin"] = not elsewhere["ours"]
    for target, reached in met.items():
        print(f"{target}: {'reached' if reached else 'MISSED'}")
    figures = {
        "bytes": total,
        "sizes": sizes,
        "ms": times,
        "ratio": ratio,
        "fresh_s": fresh,
        "again_s": again,
    }
    return {**figures, "met": met}


def main() -> int:
    """Build both, visit both, print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    chapter = ROOT / "chapters" / "02_attention_as_lookup.ipynb"
    parser.add_argument("--chapter", type=Path, default=chapter, help="an executed notebook with widgets")
    parser.add_argument("--runs", type=int, default=7, help="visits of each page that count")
    parser.add_argument("--out", type=Path, help="file for the figures (JSON)")
    options = parser.parse_args()
    if not options.chapter.is_file():
        sys.exit(f"page.py: there is no notebook {options.chapter}; name one with --chapter.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = our_root(options.chapter, folder)
        ours, fresh, again = build_ours(root, folder / "pages")
        default = build_default(options.chapter, folder / "default")
        page = (default / "chapters" / f"{options.chapter.stem}.html").read_text(encoding="utf-8")
        install_network_files(page)
        localise(default)
        servers = {"ours": serve(ours), "defaults": serve(default)}
        address = f"chapters/{options.chapter.stem}.html"
        pages = {key: f"http://127.0.0.1:{one.server_port}/{address}" for key, one in servers.items()}
        figures = report(measure(pages, options.runs), fresh, again)
        for server in servers.values():
            server.shutdown()
            server.server_close()
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return int(not all(figures["met"].values()))


if __name__ == "__main__":
    sys.exit(main())
