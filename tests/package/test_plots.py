"""Figures carry words; bad input is one sentence."""

import base64
import io

import matplotlib as mpl
import numpy as np
import pytest
import torch

from attnbook import plots

mpl.use("Agg")


def shown(monkeypatch, figure, alt):
    found = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: found.append(data))
    plots.show(figure, alt=alt)
    return found[0]


def test_show_stores_picture_and_words(monkeypatch):
    from PIL import Image

    figure = plots.heatmap(torch.eye(3), ["a", "b", "c"], ["x", "y", "z"])
    data = shown(monkeypatch, figure, "Three  weights\non the diagonal.")
    assert data["text/plain"] == "Figure: Three weights on the diagonal."
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.format == "PNG"
    assert len(np.unique(np.asarray(picture.convert("L")))) > 2, "the picture is blank"


def test_the_same_figure_has_the_same_bytes(monkeypatch):
    draw = lambda: plots.weights_over_words(["je", "t'aime"], [0.25, 0.75])  # noqa: E731
    assert shown(monkeypatch, draw(), "x") == shown(monkeypatch, draw(), "x")


@pytest.mark.parametrize("alt", ["", "  ", None])
def test_a_figure_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="alt: expected a sentence"):
        plots.show(plots.heatmap([[1.0]]), alt=alt)


def test_cells_show_their_numbers_when_they_are_few():
    axes = plots.heatmap([[0.25, 0.75]]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["0.25", "0.75"]
    assert plots.heatmap(np.zeros((20, 20))).axes[0].texts[:] == []


def test_weights_scale_runs_from_0_to_1_and_scores_over_their_range():
    assert plots.heatmap([[0.2, 0.4]]).axes[0].images[0].get_clim() == (0, 1)
    assert plots.heatmap([[-2.0, 4.0]]).axes[0].images[0].get_clim() == (-2, 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0, 2.0],), r"matrix: expected two dimensions .* shape \(2,\)"),
        (([[1.0, 2.0]], ["a", "b"]), "row_labels: expected 1 labels"),
        (([[1.0, 2.0]], ["a"], ["x"]), "column_labels: expected 2 labels"),
    ],
)
def test_heatmap_names_what_is_wrong(arguments, words):
    with pytest.raises(ValueError, match=words):
        plots.heatmap(*arguments)


def test_one_weight_a_word():
    with pytest.raises(ValueError, match=r"weights: expected one a word, shape \(2,\), got shape \(1, 2\)"):
        plots.weights_over_words(["a", "b"], [[0.5, 0.5]])
