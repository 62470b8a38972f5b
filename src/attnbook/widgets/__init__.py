"""The book's widgets: live in Jupyter, in Colab and, without a kernel, in the published page."""

from attnbook.widgets.alignment_explorer import AlignmentExplorer
from attnbook.widgets.attention_window import AttentionWindow
from attnbook.widgets.qkv_playground import QKVPlayground
from attnbook.widgets.quiz import Quiz

__all__ = ["AlignmentExplorer", "AttentionWindow", "QKVPlayground", "Quiz"]
