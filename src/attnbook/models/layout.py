"""How a trained model lies in its file: plain safetensors, in half precision or in whole numbers of 8 bits.

The file (https://github.com/huggingface/safetensors, "Format") is, from its first byte:

1. 8 bytes: the length n of the header, an unsigned whole number, little-endian;
2. n bytes: the header, JSON in UTF-8: name → ``{"dtype", "shape", "data_offsets": [begin, end]}`` for each
   tensor, and ``"__metadata__"``, of which the entry ``"attnbook"`` is again JSON (see ``models.store``);
3. the numbers of all tensors, row by row, little-endian; offsets are counted from here.

Types are ``F16`` (half precision), or ``I8`` with a tensor ``NAME.scale`` of type ``F32`` beside it, one
number a row: the weight in row r is the whole number times ``scale[r]``. In "int8" files matrices are stored
so, and vectors in half precision. In JavaScript: ``new DataView(buffer).getBigUint64(0, true)`` for n,
``JSON.parse`` for the header, ``Int8Array``, ``Float32Array`` and ``Uint16Array`` (or ``Float16Array``) for
the numbers. Tensors have the names of ``model.state_dict()``; a matrix is (outputs, inputs), as torch has it.
"""

from __future__ import annotations

import torch
from torch import Tensor

PRECISIONS = ("half", "int8")
SCALE = ".scale"


def pack(weights: dict[str, Tensor], precision: str) -> dict[str, Tensor]:
    """The tensors of the file for a model's state.

    Tensors that share their memory, such as a tied output layer, are stored under the first name alone.

    Raises
    ------
    ValueError
        If the precision is unknown, or a number is too large for it.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}")
    packed: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in weights.items():
        if tensor.data_ptr() in seen:
            continue
        seen.add(tensor.data_ptr())
        tensor = tensor.detach().cpu().float()
        if precision == "int8" and tensor.ndim == 2:
            scale = tensor.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / 127  # (rows,)
            packed[name] = (tensor / scale.unsqueeze(1)).round().to(torch.int8)
            packed[name + SCALE] = scale
        else:
            packed[name] = tensor.half().contiguous()
            if not packed[name].isfinite().all():
                raise ValueError(f"weights: {name} has a number that half precision cannot hold")
    return packed


def unpack(packed: dict[str, Tensor]) -> dict[str, Tensor]:
    """The model's state in 32 bits, of the tensors of a file."""
    weights = {}
    for name, tensor in packed.items():
        if name.endswith(SCALE) and name.removesuffix(SCALE) in packed:
            continue
        scale = packed.get(name + SCALE)
        weights[name] = tensor.float() if scale is None else tensor.float() * scale.unsqueeze(1)
    return weights
