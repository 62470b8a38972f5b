"""What a trained model does inside: heads and their roles, pronouns and patching, operations counted."""

from attnbook.analysis.activation_patching import Patched, patch

__all__ = ["Patched", "patch"]
