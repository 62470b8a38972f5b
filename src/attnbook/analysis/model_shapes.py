"""What do models use in 2026? The attention of ten open models, each cell with the source it was read in.

All cells were read on 2026-11-30. Sources are configuration files and reference code of the models' makers,
where they are public, and else the classes that Hugging Face's ``transformers`` (version 5.24.0, as PyPI has
it) names after the checkpoint. Sizes are those of the text decoder; layers for predicting more than one token
are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from attnbook.analysis import budget
from attnbook.analysis.budget import Shape

READ = "2026-11-30"
LENGTH = 131_072  # tokens for which `table` works out the cache

# Every address holds the commit that was read, so that it says the same tomorrow.
_TRANSFORMERS = "https://github.com/huggingface/transformers/blob"
_CLASSES = f"{_TRANSFORMERS}/v5.24.0/src/transformers/models"
_DOCS = "docs/source/en/model_doc"
_LLAMA = "https://github.com/meta-llama/llama-models/blob"
_LLAMA_CARD = f"{_LLAMA}/1b28708fc46501a449e03d8d618340a052d9ba07/models/llama3_1/MODEL_CARD.md"
_LLAMA_SIZES = f"{_LLAMA}/1768925a9d343b19459b5bc2acc893c842874179/models/llama3_1/api/sku_list.py"
_LLAMA_CODE = f"{_LLAMA}/1bb54864e10c8d007edf2e651f35ec75b3c1cd78/models/llama3/reference_impl/model.py"
_GEMMA_3 = "https://github.com/google/gemma_pytorch/blob/014acb7ac4563a5f77c76d7ff98f31b568c16508"
_GEMMA_3_SIZES, _GEMMA_3_CODE = f"{_GEMMA_3}/gemma/config.py", f"{_GEMMA_3}/gemma/model.py"
_GEMMA_4 = "https://github.com/google-deepmind/gemma/blob/7691fd4e7f26c9ec5db38110dddb3addfab4d767/gemma/gm/nn/gemma4"
_GEMMA_4_SIZES, _GEMMA_4_CODE = f"{_GEMMA_4}/_gemma4.py", f"{_GEMMA_4}/_modules.py"
_GPT_OSS = (
    "https://github.com/openai/gpt-oss/blob/0568dfc94f09469e2968c2b90e50561d1b3fc424/gpt_oss/torch/model.py"
)
_GPT_OSS_DOC = f"{_TRANSFORMERS}/05ebc01c982e1c3bbb07c9f42baebf64659cd459/{_DOCS}/gpt_oss.md"
_DEEPSEEK = "https://github.com/deepseek-ai/DeepSeek-V3.2-Exp"
_DEEPSEEK_AT = f"{_DEEPSEEK}/blob/3b99a5350d260b7c2a357e82362305509e2d0724/inference"
_DEEPSEEK_SIZES, _DEEPSEEK_CODE = f"{_DEEPSEEK_AT}/config_671B_v3.2.json", f"{_DEEPSEEK_AT}/model.py"
_KIMI = "https://github.com/MoonshotAI/Kimi-Linear/blob/16a0ae6dfed970c879c78cff3b38114f9450120f/README.md"
_KIMI_SIZES = f"{_CLASSES}/kimi_linear/configuration_kimi_linear.py"
_KIMI_CODE = f"{_CLASSES}/kimi_linear/modeling_kimi_linear.py"
_KIMI_DOC = f"{_TRANSFORMERS}/3928bb046855544a7ab90e9a41fc68fde249803e/{_DOCS}/kimi_linear.md"
_MINIMAX_SIZES = f"{_CLASSES}/minimax_m2/configuration_minimax_m2.py"
_MINIMAX_CODE = f"{_CLASSES}/minimax_m2/modeling_minimax_m2.py"
_OLMO = "https://github.com/allenai/OLMo-core/blob/fa6c5014c9f6e9ee789da2d9c20d5126fee8df0d/src"
_OLMO_SIZES = f"{_OLMO}/olmo_core/nn/transformer/config.py"
_OLMO_LONG = f"{_OLMO}/scripts/official/OLMo3/OLMo-3-1025-32B-long-context.py"
_OLMO_CODE = f"{_CLASSES}/olmo3/modeling_olmo3.py"
_QWEN_SIZES = f"{_CLASSES}/qwen3_5_moe/configuration_qwen3_5_moe.py"
_QWEN_CODE = f"{_CLASSES}/qwen3_5_moe/modeling_qwen3_5_moe.py"
_QWEN_DOC = f"{_TRANSFORMERS}/21a7612ea492490f3fd105a80f314c34ced093ab/{_DOCS}/qwen3_5_moe.md"
_MISTRAL_SIZES = f"{_CLASSES}/mistral4/configuration_mistral4.py"
_MISTRAL_CODE = f"{_CLASSES}/mistral4/modeling_mistral4.py"
_MISTRAL_DOC = f"{_TRANSFORMERS}/162e3fa2e5204d4503ca95146357aad3cecd69cc/{_DOCS}/mistral4.md"


@dataclass(frozen=True)
class Cell:
    """What a source says.

    Attributes
    ----------
    text : str
    source : str
        The address at which it was read.
    """

    text: str
    source: str


@dataclass(frozen=True)
class Model:
    """A row of the table.

    Attributes
    ----------
    name : str
    date : Cell
        When it was released.
    layers : Cell
    kept : Cell
        What a layer keeps of a token: heads of keys and values, or a latent vector.
    pattern : Cell
        What the layers attend to.
    positions : Cell
    norm : Cell
        Of queries and keys.
    gates : Cell
        Sinks and gates.
    linear : Cell
        Layers of linear attention.
    shape : Shape
        The same as numbers, for :mod:`attnbook.analysis.budget`; 16 bits a number for all, whatever the
        checkpoint's own precision.
    """

    name: str
    date: Cell
    layers: Cell
    kept: Cell
    pattern: Cell
    positions: Cell
    norm: Cell
    gates: Cell
    linear: Cell
    shape: Shape

    @property
    def cells(self) -> list[Cell]:
        """All cells with a source, in the order of :data:`HEAD`."""
        return [part for part in (getattr(self, one.name) for one in fields(self)) if isinstance(part, Cell)]


# The headings of a row's cells, in their order.
HEAD = (
    "released",
    "layers",
    "kept of a token",
    "attends to",
    "positions",
    "norm of q and k",
    "sinks, gates",
    "linear layers",
)
COLUMNS = (*HEAD, "cache")

MODELS = (
    Model(
        "Llama 3.1 70B",
        date=Cell("2024-07", _LLAMA_CARD),
        layers=Cell("80", _LLAMA_SIZES),
        kept=Cell("8 heads of 128", _LLAMA_SIZES),
        pattern=Cell("all tokens", _LLAMA_CODE),
        positions=Cell("RoPE, low frequencies slowed 8 ×", _LLAMA_CODE),
        norm=Cell("none", _LLAMA_CODE),
        gates=Cell("none", _LLAMA_CODE),
        linear=Cell("none", _LLAMA_CODE),
        shape=Shape(80, 64, 8, 128),
    ),
    Model(
        "Gemma 3 27B",
        date=Cell("2025-03", f"{_GEMMA_3}/README.md"),
        layers=Cell("62", _GEMMA_3_SIZES),
        kept=Cell("16 heads of 128", _GEMMA_3_SIZES),
        pattern=Cell("5 windows of 1,024, then 1 full", _GEMMA_3_SIZES),
        positions=Cell("RoPE; base 10,000 in windows, 1,000,000 in full layers", _GEMMA_3_SIZES),
        norm=Cell("RMSNorm", _GEMMA_3_CODE),
        gates=Cell("none", _GEMMA_3_CODE),
        linear=Cell("none", _GEMMA_3_SIZES),
        shape=Shape(62, 32, 16, 128, pattern="WWWWWF", window=1024),
    ),
    Model(
        "gpt-oss-120b",
        date=Cell("2025-08", _GPT_OSS_DOC),
        layers=Cell("36", _GPT_OSS),
        kept=Cell("8 heads of 64", _GPT_OSS),
        pattern=Cell("windows of 128 and full by turns", _GPT_OSS),
        positions=Cell("RoPE with YaRN, 32 ×", _GPT_OSS),
        norm=Cell("none", _GPT_OSS),
        gates=Cell("one sink a head", _GPT_OSS),
        linear=Cell("none", _GPT_OSS),
        shape=Shape(36, 64, 8, 64, pattern="WF", window=128),
    ),
    Model(
        "DeepSeek-V3.2-Exp",
        date=Cell("2025-09", f"{_DEEPSEEK}/commits/main"),
        layers=Cell("61", _DEEPSEEK_SIZES),
        kept=Cell("latent 512 + rotary key 64, + 128 for the indexer", _DEEPSEEK_SIZES),
        pattern=Cell("the 2,048 tokens that an indexer chooses", _DEEPSEEK_SIZES),
        positions=Cell("RoPE on 64 numbers, YaRN", _DEEPSEEK_CODE),
        norm=Cell("RMSNorm of the latent vectors", _DEEPSEEK_CODE),
        gates=Cell("none", _DEEPSEEK_CODE),
        linear=Cell("none", _DEEPSEEK_CODE),
        shape=Shape(
            61,
            128,
            128,
            128,
            latent=512,
            rotary=64,
            pattern="C",
            chosen=2048,
            index_heads=64,
            index_size=128,
        ),
    ),
    Model(
        "Kimi Linear 48B-A3B",
        date=Cell("2025-10", _KIMI_DOC),
        layers=Cell("27", _KIMI_SIZES),
        kept=Cell("latent 512 + 64, in full layers", _KIMI_SIZES),
        pattern=Cell("3 linear, then 1 full", _KIMI),
        positions=Cell("none", _KIMI_DOC),
        norm=Cell("L2 in linear layers; RMSNorm of the latent vector in full ones", _KIMI_CODE),
        gates=Cell("linear layers: decay of each number of a key, and an output gate", _KIMI_CODE),
        linear=Cell("Kimi Delta Attention, state 32 × 128 × 128", _KIMI_SIZES),
        # The README says 3 to 1. That layers 4, 8, … 24 and 27, counted from 1, are the full ones is second
        # hand: from copies of the checkpoint's config.json in other projects' tests.
        shape=Shape(27, 32, 32, 128, latent=512, rotary=64, pattern="LLLF" * 6 + "LLF", state=32 * 128 * 128),
    ),
    Model(
        "MiniMax-M2",
        date=Cell("2025-10", "https://github.com/MiniMax-AI/MiniMax-M2/commits/main"),
        layers=Cell("62", _MINIMAX_SIZES),
        kept=Cell("8 heads of 128", _MINIMAX_SIZES),
        pattern=Cell("all tokens", _MINIMAX_CODE),
        positions=Cell("RoPE on a part of each head", _MINIMAX_SIZES),
        norm=Cell("RMSNorm, over all heads together", _MINIMAX_CODE),
        gates=Cell("none", _MINIMAX_CODE),
        linear=Cell("none", _MINIMAX_CODE),
        shape=Shape(62, 48, 8, 128),
    ),
    Model(
        "OLMo 3 32B",
        date=Cell("2025-11", "https://allenai.org/blog/olmo3"),
        layers=Cell("64", _OLMO_SIZES),
        kept=Cell("8 heads of 128", _OLMO_SIZES),
        pattern=Cell("3 windows of 4,096, then 1 full", _OLMO_SIZES),
        positions=Cell("RoPE with YaRN, 8 ×", _OLMO_LONG),
        norm=Cell("RMSNorm, over all heads together", _OLMO_CODE),
        gates=Cell("none", _OLMO_CODE),
        linear=Cell("none", _OLMO_SIZES),
        shape=Shape(64, 40, 8, 128, pattern="WWWF", window=4096),
    ),
    Model(
        "Qwen3.5-35B-A3B",
        date=Cell("2026-02", "https://openrouter.ai/qwen/qwen3.5-35b-a3b-20260224/api"),
        layers=Cell("40", _QWEN_DOC),
        kept=Cell("2 heads of 256, in full layers", _QWEN_SIZES),
        pattern=Cell("3 linear, then 1 full", _QWEN_DOC),
        positions=Cell("RoPE on a quarter of each head, in full layers", _QWEN_SIZES),
        norm=Cell("RMSNorm in full layers, L2 in linear ones", _QWEN_CODE),
        gates=Cell("output gate in all layers; linear layers: one decay a head", _QWEN_CODE),
        linear=Cell("Gated DeltaNet, state 32 × 128 × 128", _QWEN_SIZES),
        shape=Shape(40, 16, 2, 256, pattern="LLLF", state=32 * 128 * 128),
    ),
    Model(
        "Mistral Small 4 119B",
        date=Cell("2026-03", _MISTRAL_DOC),
        layers=Cell("36", _MISTRAL_SIZES),
        kept=Cell("latent 256 + rotary key 64", _MISTRAL_SIZES),
        pattern=Cell("all tokens", _MISTRAL_CODE),
        positions=Cell("RoPE on 64 numbers, YaRN, 128 ×", _MISTRAL_SIZES),
        norm=Cell("RMSNorm of the latent vectors", _MISTRAL_CODE),
        gates=Cell("none; queries grow with their position", _MISTRAL_CODE),
        linear=Cell("none", _MISTRAL_CODE),
        shape=Shape(36, 32, 32, 128, latent=256, rotary=64),
    ),
    Model(
        "Gemma 4 31B",
        date=Cell(
            "2026-04", "https://github.com/google-deepmind/gemma/commits/main/gemma/gm/nn/gemma4/_gemma4.py"
        ),
        layers=Cell("60", _GEMMA_4_SIZES),
        kept=Cell("16 heads of 256 in windows, 4 of 512 in full layers", _GEMMA_4_SIZES),
        pattern=Cell("5 windows of 1,024, then 1 full", _GEMMA_4_SIZES),
        positions=Cell("RoPE; in full layers on a quarter of each head", _GEMMA_4_SIZES),
        norm=Cell("RMSNorm, of values too", _GEMMA_4_CODE),
        gates=Cell("none", _GEMMA_4_CODE),
        linear=Cell("none", _GEMMA_4_SIZES),
        shape=Shape(60, 32, 16, 256, pattern="WWWWWF", window=1024, full_kv_heads=4, full_head_size=512),
    ),
)


def named(name: str) -> Model:
    """The model of that name.

    Raises
    ------
    ValueError
        If there is none; the sentence lists all names.
    """
    for model in MODELS:
        if model.name == name:
            return model
    raise ValueError(f"name: expected one of {', '.join(one.name for one in MODELS)}, got {name!r}")


def gigabytes(model: Model, length: int = LENGTH) -> float:
    """What the cache of one text of that length takes, in units of 10⁹ bytes, at 16 bits a number."""
    return budget.cache_bytes(model.shape, length) / 1e9


def lines(columns: tuple[str, ...] = COLUMNS, length: int = LENGTH) -> list[list[Cell]]:
    """The table: a head, then one line a model; a cell that is worked out here has no source, "".

    Parameters
    ----------
    columns : tuple of str
        Which of :data:`COLUMNS`, in which order.
    length : int
        Tokens for which the column "cache" gives the size.

    Raises
    ------
    ValueError
        If a column is not in :data:`COLUMNS`.
    """
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise ValueError(f"columns: expected names out of {', '.join(COLUMNS)}, got {unknown[0]!r}")
    texts = {"cache": f"cache of {length:,} tokens"}
    made = [[Cell(texts.get(name, name), "") for name in ("model", *columns)]]
    for model in MODELS:
        cells: dict[str, Cell] = {name: cell for name, cell in zip(HEAD, model.cells, strict=True)}
        cells["cache"] = Cell(f"{gigabytes(model, length):.1f} GB", "")
        made.append([Cell(model.name, ""), *(cells[name] for name in columns)])
    return made


def table(columns: tuple[str, ...] = COLUMNS, length: int = LENGTH) -> str:
    """The table as Markdown, each cell a link to where it was read.

    Parameters
    ----------
    columns, length
        As in :func:`lines`.
    """
    head, *rows = lines(columns, length)

    def line(texts) -> str:
        return f"| {' | '.join(texts)} |"

    made = [line(cell.text for cell in head), line("---" for _ in head)]
    for row in rows:
        made.append(line(f"[{one.text}]({one.source})" if one.source else one.text for one in row))
    return "\n".join(made)
