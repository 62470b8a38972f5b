"""How long the page takes to translate a sentence: the shipped transformer, on 100 test sentences.

    python benchmarks/page_translator.py

In Node, whose engine is Chromium's, after ten sentences to warm up. The target is 150 ms, until which an
answer feels immediate. The machine's load moves the figure: the load average is printed with it.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JS = ROOT / "src" / "attnbook" / "widgets" / "js" / "inference"
TARGET_MS, WARM_UP = 150, 10

PROGRAM = f"""
import {{ readFileSync }} from "node:fs";
import {{ readModel }} from {(JS / "safetensors.js").as_uri()!r};
import {{ transformerTranslator }} from {(JS / "transformer.js").as_uri()!r};
const [path, sentences] = JSON.parse(readFileSync(0, "utf8"));
const translate = transformerTranslator(readModel(new Uint8Array(readFileSync(path))));
console.log(JSON.stringify(sentences.map((words) => {{
  const begun = performance.now();
  translate(words, 2 * words.length + 20);
  return performance.now() - begun;
}})));
"""


def milliseconds(sentences: list[list[str]], model: Path, node: str) -> list[float]:
    """What each sentence took, the first ones left out."""
    done = subprocess.run(
        [node, "--input-type=module", "--eval", PROGRAM],
        input=json.dumps([str(model), sentences]),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)[WARM_UP:]


def main() -> int:
    """Print the times; 1 when the 95th percentile is above the target."""
    from attnbook import models
    from attnbook.data import phrasebook

    node = shutil.which("node")
    if node is None:
        print("page_translator.py: needs Node; install it and run again", file=sys.stderr)
        return 2
    sentences = [list(pair.src) for pair in phrasebook.sample(110, 2, "small", (2, 20), "test")]
    times = milliseconds(sentences, models.FOLDER / "10_transformer.safetensors", node)
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"{len(times)} sentences of 2 to 20 words: median {statistics.median(times):.0f} ms, 95th percentile "
        f"{p95:.0f} ms (target {TARGET_MS} ms); load average {os.getloadavg()[0]:.1f}"
    )
    return int(p95 > TARGET_MS)


if __name__ == "__main__":
    sys.exit(main())
