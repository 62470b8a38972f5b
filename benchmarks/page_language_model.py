"""How long the page takes until the first token: the shipped language model, on 100 held-out prompts.

    python benchmarks/page_language_model.py

In Node, whose engine is Chromium's, after ten prompts to warm up: text to tokens, all layers, logits, one
token drawn. Beside it each further token, which finds a cache. The target is 100 ms for a prompt of 64
tokens, the most that the model reads at once. The machine's load moves the figures, so its average is printed
with them, and the processor's time beside the clock's.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JS = ROOT / "src" / "attnbook" / "widgets" / "js"
TARGET_MS, WARM_UP, LENGTH, FURTHER = 100, 10, 64, 16

PROGRAM = f"""
globalThis.BOOK = true;
import {{ readFileSync }} from "node:fs";
const from = (name) => import({JS.as_uri()!r} + "/" + name);
const {{ readModel }} = await from("inference/safetensors.js");
const {{ bytePairs }} = await from("inference/byte_pairs.js");
const {{ languageModel }} = await from("inference/language_model.js");
const {{ drawn, odds }} = await from("mechanisms/sampling.js");
const {{ numbersOf }} = await from("tiny_transformer_live.js");
const [path, prompts] = JSON.parse(readFileSync(0, "utf8"));
const begun = performance.now();
const loaded = readModel(new Uint8Array(readFileSync(path)));
const [tokenizer, read] = [bytePairs(loaded.merges), languageModel(loaded)];
const opened = performance.now() - begun;
const settings = {{ temperature: 1, top_k: 1024, top_p: 0.9 }};
console.log(JSON.stringify([opened, prompts.map((text) => {{
  let tokens = [];
  return Array.from({{ length: {FURTHER} }}, (_, i) => {{
    const begun = performance.now();
    const used = process.cpuUsage();
    if (!i) tokens = tokenizer.encode(text).slice(0, {LENGTH});
    const {{ logits }} = numbersOf(read, tokenizer, tokens);
    tokens = [...tokens, drawn(odds(logits.at(-1), settings), 0.5)];
    const {{ user, system }} = process.cpuUsage(used);
    return [performance.now() - begun, (user + system) / 1000];
  }});
}})]));
"""


def milliseconds(prompts: list[str], model: Path, node: str) -> tuple[float, list[list[list[float]]]]:
    """What opening the model took, and each token of each prompt by the clock and by the processor, the first
    prompts left out."""
    done = subprocess.run(
        [node, "--input-type=module", "--eval", PROGRAM],
        input=json.dumps([str(model), prompts]),
        capture_output=True,
        text=True,
        check=True,
    )
    opened, times = json.loads(done.stdout)
    return opened, times[WARM_UP:]


def main() -> int:
    """Print the times; 1 when the 95th percentile of the first token is above the target."""
    from attnbook import models
    from attnbook.data import prose

    node = shutil.which("node")
    if node is None:
        print("page_language_model.py: needs Node; install it and run again", file=sys.stderr)
        return 2
    text = prose.joined(prose.split()[1])
    step = (len(text) - 600) // 110
    prompts = [text[i * step : i * step + 600] for i in range(110)]
    opened, times = milliseconds(prompts, models.FOLDER / "11_language_model.safetensors", node)
    first = [clock for (clock, _), *_ in times]
    processor = statistics.median(used for (_, used), *_ in times)
    further = [clock for each in times for clock, _ in each[1:]]
    p95 = statistics.quantiles(first, n=20)[-1]
    print(
        f"{len(times)} prompts of {LENGTH} tokens: first token after {statistics.median(first):.0f} ms, "
        f"95th percentile {p95:.0f} ms (target {TARGET_MS} ms), {processor:.0f} ms of the processor; each "
        f"further token {statistics.median(further):.1f} ms; opening the model {opened:.0f} ms; "
        f"load average {os.getloadavg()[0]:.1f}"
    )
    return int(p95 > TARGET_MS)


if __name__ == "__main__":
    sys.exit(main())
