"""What a trained model does inside: heads and their roles, pronouns and patching, operations counted."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attnbook.analysis.activation_patching import Patched, patch

__all__ = ["Patched", "patch"]


def __getattr__(name: str):
    # Patching needs torch; the arithmetic of `budget` and `model_shapes`, which pages use, does not.
    if name in __all__:
        return getattr(import_module("attnbook.analysis.activation_patching"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
