"""PatchExplorer: a picture cut into patches, what each attends to, and the reader's own drawing."""

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.content import HasContent
from attnbook.widgets.state import Choice, Index, Integer, Listing, Pair, State, guess, hidden_outcome
from attnbook.widgets.trained import RunsModels, loaded

SIDE = 32  # points of a drawing, down and across
VIEWS = ("head", "mean")


class PatchExplorer(RunsModels, HasContent, PredictFirst):
    """Attention of a small trained Vision Transformer over a digit, one that is given or one that is drawn.

    The reader predicts which patch the class token weighs most, then lets each patch or the class token ask,
    in each head of each layer, and draws digits. The model runs in the page; its file is fetched when the
    reader first touches the widget.

    Parameters
    ----------
    examples : (n, 8, 8)
        Pictures as scikit-learn's digits are: ink in whole numbers from 0 to 16.
    names : list of n strings, optional
        What the reader chooses among; "picture 1", "picture 2", … if absent.
    model : str
        A shipped model (``attnbook.models``) of the architecture "vision_transformer".
    asks : int
        The token that asks first: 0 for the class token, then the patches row by row.
    head : (layer, head), from 0, optional
        Shown first; the first head of the last layer if absent.
    view : "head" or "mean"
        One head, or the mean over the heads of its layer.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Attributes
    ----------
    drawing : list of 32 whole numbers, or None
        The reader's own: one number of 32 bits a row, the leftmost point its highest bit. None: the example
        is shown.
    picture : (8, 8) lists, read-only
        What the model reads. Of a drawing: its ink is moved to the middle, and the black points of each
        square of 4 × 4 are counted.
    probabilities : list, read-only
        Of the ten digits.
    weights : (tokens, tokens) lists, read-only
        Of the head or the mean that is shown.
    prediction : dict or None
        ``{"choice": index of a patch, "share": 0 to 1}``: the patch with the largest weight of the class
        token in the last layer, on average over the heads, and this weight; once made also ``"answer"`` and
        ``"actual"``.
    score : float or None
        Half for the right patch, half for how near the weight was.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.
    """

    _esm = bundle("PatchExplorer.js")
    _css = bundle("PatchExplorer.css")

    content = traitlets.Dict(help="The examples with their names, and sizes; read-only.").tag(sync=True)
    example = Mirror("which of the given pictures, from 0")
    drawing = Mirror("32 rows of 32 bits, or None")
    asks = Mirror("the token that asks: 0 the class token, then the patches")
    head = Mirror("[layer, head], from 0")
    view = Mirror("head or mean")
    picture = Mirror("(8, 8), ink from 0 to 16; set example or drawing", derived=True)
    probabilities = Mirror("of the ten digits; set example or drawing", derived=True)
    weights = Mirror("(tokens, tokens) of what is shown; set head or view", derived=True)

    def __init__(
        self,
        examples,
        names=None,
        *,
        model="12_vit",
        asks=0,
        head=None,
        view="mean",
        challenge="",
        predict=True,
        theme="auto",
    ):
        self._model = loaded(model, "vision_transformer").model
        size = self._model.image_size[0]
        full = (SIDE // size) ** 2
        pictures = [
            values.matrix(f"examples[{i}]", one, size, size) for i, one in enumerate(_listed(examples))
        ]
        for i, picture in enumerate(pictures):
            if not all(ink in range(full + 1) for row in picture for ink in row):
                raise ValueError(
                    f"examples[{i}]: expected whole numbers from 0 to {full}, the ink of each pixel."
                )
        if names is None:
            names = [f"picture {i + 1}" for i in range(len(pictures))]
        self._content = {
            "examples": [[int(ink) for row in picture for ink in row] for picture in pictures],
            "names": values.words("names", names, len(pictures)),
            "side": size,
            "full": full,
            "grid": self._model.grid[0],
            "heads": [len(self._model.layers), self._model.layers[0].attention.n_heads],
        }
        state = {
            "example": 0,
            "drawing": None,
            "asks": asks,
            "head": [self._content["heads"][0] - 1, 0] if head is None else head,
            "view": view,
            **self._unpredicted(predict),
        }
        options = {"challenge": challenge, "theme": theme, "content": self._content}
        super().__init__(state, models=[model], **options)

    def _declare(self):
        patches = self._content["grid"] ** 2
        layers, heads = self._content["heads"]
        return State(
            example=Index(of=len(self._content["examples"])),
            drawing=Listing(of=Integer(low=0, high=2**SIDE - 1), length=SIDE, why=" rows", optional=True),
            asks=Index(of=1 + patches),
            head=Pair(rows=layers, columns=heads, first="layer", second="head"),
            view=Choice(options=VIEWS),
            **hidden_outcome(guess(patches)),
        )

    def _picture(self, state) -> list[int]:
        """What the model reads, row by row."""
        if state["drawing"] is None:
            return self._content["examples"][state["example"]]
        return counted(state["drawing"], self._content["side"])

    def _compute(self, state):
        """Probabilities (classes,) and weights (layers, heads, tokens, tokens), in float64."""
        import torch

        side = self._content["side"]
        picture = torch.tensor(self._picture(state), dtype=torch.float64).view(1, 1, side, side)
        with torch.no_grad():
            logits, weights = self._model(picture / self._content["full"], need_weights=True)
        return {"probabilities": logits[0].softmax(-1), "weights": weights[0]}

    def _derived(self, state):
        numbers, side = self._numbers(state), self._content["side"]
        picture = self._picture(state)
        return {
            "picture": [picture[row * side : (row + 1) * side] for row in range(side)],
            "probabilities": [round(x, 6) for x in numbers["probabilities"].tolist()],
            "weights": [[round(x, 6) for x in row] for row in self._shown(state).tolist()],
        }

    def _shown(self, state):
        """The weights of the view, (tokens, tokens)."""
        layer, head = state["head"]
        weights = self._numbers(state)["weights"][layer]
        return weights[head] if state["view"] == "head" else weights.mean(0)

    def _options(self, state):
        grid = self._content["grid"]
        return [named(patch, grid) for patch in range(grid**2)]

    def _outcome(self, state):
        of_class_token = self._numbers(state)["weights"][-1].mean(0)[0, 1:]
        best = int(of_class_token.argmax())
        return best, values.compact(float(of_class_token[best]))

    def _sentence(self, state):
        patches = self._options(state)
        if not state["revealed"]:
            return (
                f"Outcome hidden: predict which of {len(patches)} patches the class token weighs most, "
                "or skip."
            )
        if state["drawing"] is not None and not any(state["drawing"]):
            return "Nothing is drawn yet."
        probabilities = self._numbers(state)["probabilities"]
        digit = int(probabilities.argmax())
        sure = values.percent(float(probabilities[digit]))
        best, share = self._outcome(state)
        return (
            f"The model reads a {digit}, {sure}; in the last layer the class token weighs {patches[best]} "
            f"most, {values.percent(share)} on average over the heads."
        )

    def _figure(self):
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        state, side, grid = self.state, self._content["side"], self._content["grid"]
        size = side // grid
        figure = Figure(figsize=(6.4, 3.4))
        left, right = figure.subplots(1, 2)
        picture = self._picture(state)
        rows = [picture[row * side : (row + 1) * side] for row in range(side)]
        for axes in (left, right):
            axes.imshow(rows, cmap="gray_r", vmin=0, vmax=self._content["full"])
            axes.set_xticks([size * i - 0.5 for i in range(grid + 1)], labels=[])
            axes.set_yticks([size * i - 0.5 for i in range(grid + 1)], labels=[])
            axes.tick_params(length=0)
            axes.grid(color="#0060a8", lw=1)
        left.set_title(f"{grid} × {grid} patches", fontsize=10)
        right.set_title("weights of the class token, last layer", fontsize=10)
        weights = self._numbers(state)["weights"][-1].mean(0)[0, 1:] if state["revealed"] else None
        for patch in range(grid**2):
            y, x = divmod(patch, grid)
            corner = (x * size - 0.5, y * size - 0.5)
            if weights is None:
                text = "?"
            else:
                text = values.percent(float(weights[patch]))
                shade = float(weights[patch]) ** 0.5
                right.add_patch(Rectangle(corner, size, size, color="#3b8ae0", alpha=0.8 * shade, lw=0))
            right.text(corner[0] + 0.1, corner[1] + 0.1, text, va="top", fontsize=8, color="#0b57d0")
        figure.subplots_adjust(left=0.02, right=0.98, top=0.9, bottom=0.16, wspace=0.05)
        return figure


def named(patch: int, grid: int) -> str:
    """A patch in words, rows and columns counted from 1."""
    return f"row {patch // grid + 1}, column {patch % grid + 1}"


def counted(rows: list[int], side: int) -> list[int]:
    """The picture of a drawing, as ``js/mechanisms/drawing.js`` makes it.

    Parameters
    ----------
    rows : 32 whole numbers
        32 bits each, the leftmost point the highest bit.
    side : int
        Pixels of the picture, down and across; divides 32.

    Returns
    -------
    list of side² whole numbers, row by row
        The black points of each square, after the ink's frame was moved to the middle by whole points.
    """
    black = [(y, x) for y, row in enumerate(rows) for x in range(SIDE) if row >> (SIDE - 1 - x) & 1]
    picture = [0] * side**2
    if black:
        size = SIDE // side
        down = _to_middle([y for y, _ in black])
        right = _to_middle([x for _, x in black])
        for y, x in black:
            picture[(y + down) // size * side + (x + right) // size] += 1
    return picture


def _to_middle(places: list[int]) -> int:
    """How far these have to move so that the first and the last stand evenly."""
    return (SIDE - 1 - min(places) - max(places)) // 2


def _listed(examples) -> list:
    """The examples as a list that holds one at least."""
    examples = values.plain(examples)
    if not isinstance(examples, list) or not examples:
        raise ValueError(f"examples: expected a list of pictures, got {values.shape_of(examples)}.")
    return examples
