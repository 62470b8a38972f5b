"""From pointer to paint: how long a frame takes while a hand drags the query of QKVPlayground, the centre of
AttentionWindow, both words of PositionExplorer or a word of SelfAttentionPlayground (which holds 16 words),
draws on the board of PatchExplorer, moves the temperature of TinyTransformerLive, or moves over the large
picture of HeadExplorer, of words or of a translation.

    python benchmarks/pointer.py [--widget NAME] [--tokens 64] [--moves 240] [--mode soft] [--out FILE]

In Chromium, without a kernel, every panel open. A frame's time runs from the moment the browser hands the
page a pointer move to the task after that frame was painted. The target is a 95th percentile of 16.7 ms,
one frame at 60 Hz. The machine's load moves the figure: the load average is printed with it.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "widgets")]

TARGET_MS = 16.7

CLOCK = """
() => {
  window.frames_ms = [];
  let begun = 0;
  const channel = new MessageChannel();
  channel.port1.onmessage = () => { window.frames_ms.push(performance.now() - begun); begun = 0; };
  addEventListener("pointermove", () => {
    if (begun) return;
    begun = performance.now();
    requestAnimationFrame(() => channel.port2.postMessage(0));
  }, { capture: true });
}
"""


def playground(tokens: int, mode: str):
    """A playground of ``tokens`` words in the plane, its outcome in view."""
    from attnbook.widgets import QKVPlayground

    draw = random.Random(0)
    vectors = [[round(draw.uniform(-1, 1), 3) for _ in range(2)] for _ in range(2 * tokens)]
    return QKVPlayground([0.8, 0.1], vectors[:tokens], vectors[tokens:], mode=mode, predict=False)


def heads(tokens: int):
    """The heads of a random model (2 layers × 4 heads, d_model 32), one of them switched off."""
    import torch

    from attnbook.nn import WordModel
    from attnbook.widgets import HeadExplorer

    torch.manual_seed(0)
    words = [f"word{i}" for i in range(100)]
    model = WordModel(len(words), d_model=32, n_heads=4, n_layers=2, max_length=tokens)
    widget = HeadExplorer.from_model(model, words[1 : tokens + 1], words, mask_word=words[0])
    widget.ablated = [(0, 1)]
    return widget


def cross(tokens: int):
    """The heads of a random translator (2 layers × 4 heads), its cross-attention, one word hidden."""
    from widget_examples import translated

    from attnbook.widgets import HeadExplorer

    words = [f"word{i}" for i in range(tokens)]
    widget = HeadExplorer.from_translation(translated(words, words[:-1], n_heads=4), predict=False)
    widget.hidden = [1]
    return widget


def window(tokens: int):
    """A window of five words either side, local-p, over random scores."""
    from attnbook.widgets import AttentionWindow

    draw = random.Random(0)
    scores = [round(draw.gauss(0, 1), 3) for _ in range(tokens)]
    return AttentionWindow(scores=scores, centre=tokens / 2, window=5, predict=False)


def self_attention(tokens: int):
    """Random words in the plane, 16 at most, three identities."""
    tokens = min(tokens, 16)
    from attnbook.widgets import SelfAttentionPlayground

    draw = random.Random(0)
    places = [[round(draw.uniform(-1, 1), 3) for _ in range(2)] for _ in range(tokens)]
    return SelfAttentionPlayground([f"word {i}" for i in range(tokens)], places, predict=False)


def positions(tokens: int):
    """Two words on a strip of places, turned by eight clocks."""
    from attnbook.widgets import PositionExplorer

    length = min(tokens, 128)
    return PositionExplorer("rotary", 20, 14, length=length, d=16, predict=False)


def patches(tokens: int):
    """An empty board: every move is drawn, and the model reads the drawing."""
    from attnbook.widgets import PatchExplorer

    return PatchExplorer([[[0] * 8] * 8], predict=False)


def language(tokens: int):
    """The language model before a text of as many tokens."""
    from attnbook.widgets import TinyTransformerLive

    return TinyTransformerLive([" the" * tokens], predict=False)


# What is held, and what it moves over.
PLACES = {
    "QKVPlayground": (".ab-handle.ab-query", ".ab-plane"),
    "HeadExplorer": (".ab-hx-map", ".ab-hx-map"),
    "HeadExplorer of a translation": (".ab-hx-map", ".ab-hx-map"),
    "AttentionWindow": (".ab-centre .ab-hit", ".ab-across"),
    "PatchExplorer": (".ab-pe-pad", ".ab-pe-pad"),
    "PositionExplorer": (".ab-px-both", ".ab-px-both"),
    "SelfAttentionPlayground": (".ab-handle.ab-x .ab-hit", ".ab-plane"),
    "TinyTransformerLive": (".ab-tt-nexts input", ".ab-tt-nexts input"),
}


def make(name: str, tokens: int, mode: str):
    """The widget of this name, its outcome in view."""
    if name == "QKVPlayground":
        return playground(tokens, mode)
    makers = {
        "HeadExplorer": heads,
        "HeadExplorer of a translation": cross,
        "AttentionWindow": window,
        "PatchExplorer": patches,
        "PositionExplorer": positions,
        "SelfAttentionPlayground": self_attention,
        "TinyTransformerLive": language,
    }
    return makers[name](tokens)


def measure(name: str, tokens: int, moves: int, mode: str) -> dict:
    """Drag the query, or move the pointer, along a line and time every frame."""
    from playwright.sync_api import sync_playwright
    from widget_page import write_page

    from support import CHROMIUM_FLAGS, find_chromium

    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("Chromium is not installed: apt-get install chromium, or set ATTNBOOK_CHROMIUM")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = write_page(Path(folder) / "page.html", [make(name, tokens, mode)])
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 900, "height": 1400})
        page.goto(path.as_uri())
        page.wait_for_selector(".ab[data-settled]")  # a model may have to be loaded first
        for summary in page.locator("details > summary:visible").all()[::-1]:
            summary.click()
        page.locator(PLACES[name][0]).first.scroll_into_view_if_needed()
        held, plane = (page.locator(selector).first.bounding_box() for selector in PLACES[name])
        x, y = plane["x"] + plane["width"] / 2, plane["y"] + plane["height"] / 2
        page.mouse.move(held["x"] + held["width"] / 2, held["y"] + held["height"] / 2)
        if not name.startswith("HeadExplorer"):
            page.mouse.down()
        page.evaluate(CLOCK)
        for step in range(moves):
            shift = (step % 60) / 60
            page.mouse.move(x + plane["width"] * 0.3 * (1 - 2 * shift), y - plane["height"] * 0.3 * shift)
        page.mouse.up()
        times = page.evaluate("frames_ms")
        version = browser.version
        browser.close()
    cuts = statistics.quantiles(times, n=20)
    return {
        "widget": name,
        "tokens": tokens,
        "mode": mode,
        "frames": len(times),
        "median_ms": round(statistics.median(times), 2),
        "p95_ms": round(cuts[18], 2),
        "max_ms": round(max(times), 2),
        "target_p95_ms": TARGET_MS,
        "chromium": version,
        "load_average": round(os.getloadavg()[0], 2),
        "cores": os.cpu_count(),
    }


def main() -> None:
    """Print one JSON object; exit with 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--widget", choices=sorted(PLACES), default="QKVPlayground")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--moves", type=int, default=240)
    parser.add_argument("--mode", choices=("soft", "hard", "fixed"), default="soft")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    result = measure(options.widget, options.tokens, options.moves, options.mode)
    text = json.dumps(result, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    raise SystemExit(result["p95_ms"] > TARGET_MS)


if __name__ == "__main__":
    main()
