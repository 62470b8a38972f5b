"""Frames: what goes in comes out, and nothing that is not a frame gets through."""

import io
import json
import struct

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.worker import frames
from attnbook.worker.values import DTYPES, Foreign, same


def reader(data: bytes):
    stream = io.BytesIO(data)

    def read(count: int) -> bytes:
        assert count <= frames.MAX_PAYLOAD, "asked for more than any frame may hold"
        part = stream.read(count)
        if len(part) < count:
            raise EOFError
        return part

    return read


@st.composite
def tensors(draw):
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    dtype = DTYPES[draw(st.sampled_from(sorted(DTYPES)))]
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    return (torch.randn(shape, generator=generator) * 50).to(dtype)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | tensors(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(values)
def test_a_value_survives_the_journey(value):
    assert same(frames.decode(reader(frames.encode(value))), value)


def test_a_transposed_tensor_keeps_its_order():
    tensor = torch.arange(6.0).reshape(2, 3).T
    assert torch.equal(frames.decode(reader(frames.encode(tensor))), tensor)


def test_a_foreign_object_travels_as_its_types_name():
    arrived = frames.decode(reader(frames.encode(object())))
    assert isinstance(arrived, Foreign)
    assert arrived.kind == "object"


def test_a_boolean_is_true_or_false_whatever_byte_arrives():
    header = json.dumps({"layout": ["tensor", 0], "tensors": [["bool", [3]]]}).encode()
    data = struct.pack(">I", len(header)) + header + bytes([0, 1, 7])
    arrived = frames.decode(reader(data))
    assert arrived.view(torch.uint8).tolist() == [0, 1, 1]


def framed(header) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">I", 0xFFFFFFFF) + b"x" * 100,
        framed(b"not json"),
        framed(b"\xff\xfe"),
        framed(b"[" * 100_000),
        framed([]),
        framed({"layout": ["none"]}),
        framed({"layout": ["none"], "tensors": 3}),
        framed({"layout": ["none"], "tensors": [["float32"]]}),
        framed({"layout": ["none"], "tensors": [["object", [2]]]}),
        framed({"layout": ["none"], "tensors": [[["float32"], [2]]]}),
        framed({"layout": ["none"], "tensors": [["float32", [-1]]]}),
        framed({"layout": ["none"], "tensors": [["float32", [1.5]]]}),
        framed({"layout": ["none"], "tensors": [["float32", [True]]]}),
        framed({"layout": ["none"], "tensors": [["float32", [1] * 17]]}),
        framed({"layout": ["none"], "tensors": [["float32", [1 << 20, 1 << 20]]]}),
        framed({"layout": ["none"], "tensors": [["float32", [1 << 62]]]}),
        framed({"layout": ["none"], "tensors": [["uint8", [1]]] * 5000}),
        framed({"layout": ["tensor", 0], "tensors": []}),
        framed({"layout": ["tensor", True], "tensors": []}),
        framed({"layout": "none", "tensors": []}),
        framed({"layout": ["int", "9" * 5000], "tensors": []}),
        framed({"layout": ["int", "one"], "tensors": []}),
        framed({"layout": ["float", "x"], "tensors": []}),
        framed({"layout": ["call", "os.system"], "tensors": []}),
        framed({"layout": ["dict", [["a"]]], "tensors": []}),
    ],
)
def test_what_is_not_a_frame_is_refused(data):
    with pytest.raises(frames.FrameError):
        frames.decode(reader(data))


def test_a_header_that_nests_deeply_is_refused():
    layout = ["none"]
    for _ in range(300):
        layout = ["list", [layout]]
    with pytest.raises(frames.FrameError):
        frames.decode(reader(framed({"layout": layout, "tensors": []})))


def test_an_empty_tensor_cannot_have_an_enormous_shape():
    header = {"layout": ["tensor", 0], "tensors": [["float32", [0, *[1 << 24] * 15]]]}
    with pytest.raises(frames.FrameError, match="a shape is too large"):
        frames.decode(reader(framed(header)))


def test_a_long_cell_reaches_the_worker_and_a_long_header_does_not_reach_the_judge():
    data = frames.encode({"source": "é" * 400_000})
    assert len(frames.decode(reader(data), frames.MAX_OWN_HEADER)["source"]) == 400_000
    with pytest.raises(frames.FrameError, match="header of"):
        frames.decode(reader(data))
