"""The book's widgets: live in Jupyter, in Colab and, without a kernel, in the published page."""

from attnbook.widgets.alignment_explorer import AlignmentExplorer
from attnbook.widgets.attention_budget import AttentionBudget
from attnbook.widgets.attention_map import AttentionMap
from attnbook.widgets.attention_window import AttentionWindow
from attnbook.widgets.captioner import Captioner
from attnbook.widgets.causal_stepper import CausalStepper
from attnbook.widgets.draw_stepper import DrawStepper
from attnbook.widgets.head_explorer import HeadExplorer
from attnbook.widgets.patch_explorer import PatchExplorer
from attnbook.widgets.photo_patches import PhotoPatches
from attnbook.widgets.position_explorer import PositionExplorer
from attnbook.widgets.qkv_playground import QKVPlayground
from attnbook.widgets.quiz import Quiz
from attnbook.widgets.saliency_scanpath import SaliencyScanpath
from attnbook.widgets.search_and_cueing import SearchAndCueing
from attnbook.widgets.self_attention_playground import SelfAttentionPlayground
from attnbook.widgets.tiny_transformer_live import TinyTransformerLive
from attnbook.widgets.translator_explorer import TranslatorExplorer

__all__ = [
    "AlignmentExplorer",
    "AttentionBudget",
    "AttentionMap",
    "AttentionWindow",
    "Captioner",
    "CausalStepper",
    "DrawStepper",
    "HeadExplorer",
    "PatchExplorer",
    "PhotoPatches",
    "PositionExplorer",
    "QKVPlayground",
    "Quiz",
    "SaliencyScanpath",
    "SearchAndCueing",
    "SelfAttentionPlayground",
    "TinyTransformerLive",
    "TranslatorExplorer",
]
