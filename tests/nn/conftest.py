"""The conformance table: what was compared with whom, printed at the end of every run of these tests."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for stand_in_device

ROWS: dict[str, dict[str, tuple[float, bool]]] = {}


def difference(given: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest absolute difference, relative where the expected number is above 1; infinities must agree."""
    assert given.shape == expected.shape
    assert given.dtype == expected.dtype
    finite = expected.isfinite()
    assert torch.equal(given[~finite], expected[~finite])
    given, expected = given.detach()[finite].double(), expected.detach()[finite].double()
    gap = (given - expected).abs() / expected.abs().clamp_min(1)
    return gap.max().item() if gap.numel() else 0.0


@pytest.fixture
def conforms(request):
    """Compare two tensors, hold the difference to a tolerance, and enter it in the table."""
    case = request.node.nodeid

    def compare(
        row: str, given: torch.Tensor, expected: torch.Tensor, tolerance: float, what: str = ""
    ) -> None:
        rows = ROWS.setdefault(row, {})
        worst, passed = rows.get(case, (0.0, True))
        rows[case] = (worst, False)  # until the comparison has been made
        error = difference(given, expected)
        rows[case] = (max(worst, error), passed and error <= tolerance)
        assert error <= tolerance, f"{what} differs by {error:.2e}, allowed {tolerance:.0e}"

    return compare


def pytest_terminal_summary(terminalreporter):
    if not ROWS:
        return
    terminalreporter.section("conformance of attnbook.nn")
    terminalreporter.write_line(f"{'compared with':64} {'cases':>6} {'passed':>6}  largest error")
    for row, cases in sorted(ROWS.items()):
        passed = sum(ok for _, ok in cases.values())
        worst = max(error for error, _ in cases.values())
        terminalreporter.write_line(f"{row:64} {len(cases):6} {passed:6}  {worst:.1e}")
