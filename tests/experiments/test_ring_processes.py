"""Ring attention over real processes equals attention over the whole text."""

import pytest
import torch

from attnbook.experiments.ring_processes import across_processes
from attnbook.nn import scaled_dot_product_attention


@pytest.mark.parametrize(("processes", "causal"), [(2, True), (3, False)])
def test_it_equals_the_whole(processes, causal):
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 24, 8).unbind(0)
    found = across_processes(query, key, value, processes, causal)
    expected, _ = scaled_dot_product_attention(query, key, value, causal=causal)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_what_cannot_work_is_said():
    x = torch.randn(1, 5, 2)
    with pytest.raises(ValueError, match="^processes: expected a number that divides the length 5"):
        across_processes(x, x, x, 2)
    with pytest.raises(RuntimeError, match="^process 0 failed: .*d_k = 2"):
        across_processes(x, torch.randn(1, 5, 3), x, 1)
