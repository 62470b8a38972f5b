"""Figures carry words; bad input is one sentence."""

import base64
import io
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from attnbook import plots

mpl.use("Agg")


def displayed(monkeypatch, figure, **words):
    """Each output that `show` displays: its data, and its metadata."""
    found = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw, metadata: found.append((data, metadata)))
    plots.show(figure, **words)
    return found


def noise(pixels=300, **size):
    figure, axes = plots.new_figure(**size)
    axes.imshow(np.random.default_rng(0).random((pixels, pixels)))
    return figure


def test_lines_and_text_are_stored_as_a_drawing_with_their_words(monkeypatch):
    figure = plots.heatmap(torch.eye(3), ["a", "b", "c"], ["x", "y", "z"])
    ((data, metadata),) = displayed(monkeypatch, figure, alt="Three  weights\non the diagonal.")
    assert data["text/plain"] == "Figure: Three weights on the diagonal."
    drawing = ElementTree.fromstring(data["image/svg+xml"])
    assert len(list(drawing.iter("{http://www.w3.org/2000/svg}use"))) > 9, "the numbers are missing"
    assert set(data) == {"image/svg+xml", "text/plain"}
    assert metadata == {}


def test_many_pixels_are_stored_two_for_a_dot(monkeypatch):
    ((data, metadata),) = displayed(monkeypatch, noise(width=5, height=5), alt="Noise.")
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.format == "PNG"
    assert len(np.unique(np.asarray(picture.convert("L")))) > 2, "the picture is blank"
    assert metadata["image/png"]["width"] == round(picture.width / 2)
    assert 0.8 * 5 * 96 < picture.width / 2 < 1.2 * 5 * 96


def test_the_same_figure_has_the_same_bytes(monkeypatch):
    draw = lambda: plots.weights_over_words(["je", "t'aime"], [0.25, 0.75])  # noqa: E731
    assert displayed(monkeypatch, draw(), alt="x") == displayed(monkeypatch, draw(), alt="x")


def test_a_caption_is_a_second_output_with_its_number_in_bold(monkeypatch):
    figure = plots.heatmap([[1.0]])
    _, (caption, _) = displayed(monkeypatch, figure, alt="One.", caption="Figure 4.2. One\n weight, $w_1$.")
    assert caption["text/plain"] == "Figure 4.2. One weight, $w_1$."
    assert caption["text/markdown"] == "**Figure 4.2.** One weight, $w_1$."


@pytest.mark.parametrize("number", ["4.2", "10.12", "4.A1"])
def test_captions_of_cores_and_labs_are_accepted(monkeypatch, number):
    assert len(displayed(monkeypatch, plots.heatmap([[1.0]]), alt="x", caption=f"Figure {number}. One.")) == 2


@pytest.mark.parametrize("caption", ["", "One weight.", "Figure 4. One.", "Figure 4.2", "Figure 4.2.", 4.2])
def test_a_caption_without_its_number_is_refused_and_the_figure_stays(caption):
    figure = plots.heatmap([[1.0]])
    with pytest.raises(ValueError, match="caption: expected the figure's number first"):
        plots.show(figure, alt="x", caption=caption)
    assert plt.fignum_exists(figure.number)
    plt.close(figure)


def test_a_small_photograph_is_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"figure: a photograph in it is \d+ dots"):
        plots.show(noise(width=2.5, height=2.5), alt="x", caption="Figure 1.1. Noise.")
    displayed(monkeypatch, noise(width=5, height=5), alt="x", caption="Figure 1.1. Noise.")
    displayed(monkeypatch, noise(pixels=20, width=2, height=2), alt="x", caption="Figure 1.1. A matrix.")


@pytest.mark.parametrize("alt", ["", "  ", None])
def test_a_figure_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="alt: expected a sentence"):
        plots.show(plots.heatmap([[1.0]]), alt=alt)


def test_small_weights_can_be_told_apart():
    picture = plots.heatmap(np.full((20, 20), 0.02)).axes[0].images[0]
    nothing, small, larger = (
        np.array(picture.cmap(picture.norm(weight))[:3]) for weight in (0.0, 0.01, 0.05)
    )
    assert np.abs(small - nothing).max() > 0.05
    assert np.abs(larger - small).max() > 0.05


def test_the_bar_beside_many_weights_names_the_small_ones():
    bar = plots.heatmap(np.full((20, 20), 0.02)).axes[1]
    assert pytest.approx(bar.get_yticks()[:3]) == [0, 0.01, 0.05]


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
