"""DrawStepper: a network that draws, step by step, and windows that the reader moves in its place."""

import base64
import math

import numpy as np

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.state import Choice, Each, Integer, Number, Record, State, hidden_outcome

ENDS = ("read", "write")
MOST_SIDE = 40  # pixels: each is drawn, and each window weighs all of them
MOST_VARIANCE = 400


class DrawStepper(PredictFirst):
    """What :class:`attnbook.nn.DRAW` reads and writes at each step, and what a window of the reader's does.

    The page holds the windows and the patches that the model wrote; canvases and what a window sees it
    computes itself, with the filter bank of :class:`attnbook.nn.FilterBank`. A window of the reader's
    stands for one step: what the model does in later steps is shown as it was without it.

    Parameters
    ----------
    model : attnbook.nn.DRAW
        With windows for reading and for writing, and at least two steps.
    pictures : dict from names to (height, width)
        Pixels 0 or 1.
    picture : str, optional
        The name of the one shown first.
    noise : (steps, latent), optional
        Of the draws of z; zeros if left out, so that each z is its mean.
    ask : int, default 2
        The step whose place of writing is to be predicted.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Attributes
    ----------
    picture : str
    step : int
        From 1. As long as the outcome is hidden, no step from ``ask`` on is shown.
    end : "read" or "write"
        Whose window the reader moves.
    window : list of 4 numbers or None
        The reader's own: centre x and y, stride and variance, in pixels counted from 0. None for the
        model's.
    canvas : (height, width) lists
        After the step, as the probability of ink.
    glimpse : (N, N) lists
        What the window for reading sees of the picture.
    nats : float
        −log p(picture) by that canvas.
    prediction : dict or None
        ``{"x": column, "y": row}``, where the model will write in step ``ask``; once made also
        ``"answer_x"``, ``"answer_y"`` and ``"off"``, the distance in pixels.
    score : float or None
        1 less the distance, in halves of the picture's longer side.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.
    """

    _esm = bundle("DrawStepper.js")
    _css = bundle("DrawStepper.css")

    drawings = traitlets.Dict(help="What the model did with each picture; read-only.").tag(sync=True)
    picture = Mirror("the name of the picture")
    step = Mirror("how many steps are shown")
    end = Mirror("whose window the reader moves")
    window = Mirror("the reader's x, y, stride and variance, or None for the model's")
    canvas = Mirror("(height, width), probability of ink; set picture, step, end or window", derived=True)
    glimpse = Mirror("(N, N), what is read; set picture, step, end or window", derived=True)
    nats = Mirror("of the picture by the canvas; set picture, step, end or window", derived=True)

    def __init__(
        self,
        model,
        pictures,
        picture=None,
        *,
        noise=None,
        ask=2,
        challenge="",
        predict=True,
        theme="auto",
    ):
        unpredicted = self._unpredicted(predict)
        self._drawings = _drawings(model, pictures, noise)
        steps = self._drawings["steps"]
        if type(ask) is not int or not 2 <= ask <= steps:
            raise ValueError(f"ask: expected a step from 2 to {steps}, got {ask!r}.")
        self._drawings["ask"] = ask
        first = next(iter(pictures)) if picture is None else picture
        values.choice("picture", first, tuple(pictures))
        self._unpacked = {
            name: {key: unpack(one[key]) for key in ("read", "write", "patch")}
            for name, one in self._drawings["pictures"].items()
        }
        state = {"picture": first, "step": 1, "end": "write", "window": None, **unpredicted}
        super().__init__(state, challenge=challenge, theme=theme, drawings=self._drawings)

    @traitlets.validate("drawings")
    def _fixed(self, proposal):
        if proposal["value"] != self._drawings:
            raise traitlets.TraitError("drawings: expected no assignment; make a new widget.")
        return proposal["value"]

    def _declare(self):
        drawn = self._drawings
        h, w = drawn["height"], drawn["width"]
        return State(
            picture=Choice(options=tuple(drawn["pictures"])),
            step=Integer(low=1, high=drawn["steps"]),
            end=Choice(options=ENDS),
            window=Each(
                optional=True,
                parts=(
                    Number(low=-w, high=2 * w),
                    Number(low=-h, high=2 * h),
                    Number(low=0.05, high=MOST_SIDE),
                    Number(low=0.05, high=MOST_VARIANCE),
                ),
                why=": x, y, stride, variance",
            ),
            **hidden_outcome(
                Record(
                    optional=True,
                    asked_of_reader=("x", "y"),
                    wanted='{"x": column, "y": row}',
                    parts={
                        "x": Number(low=0, high=w - 1),
                        "y": Number(low=0, high=h - 1),
                        "answer_x": Number(),
                        "answer_y": Number(),
                        "off": Number(low=0),
                    },
                )
            ),
        )

    def _completed(self, prediction, state):
        if "off" in prediction:
            return prediction
        x, y = (self._part(name, prediction, state) for name in ("x", "y"))
        drawn = self._unpacked[state["picture"]]
        answer = drawn["write"].reshape(-1, 5)[self._drawings["ask"] - 1]
        off = math.hypot(x - answer[0], y - answer[1])
        return {"x": x, "y": y, "answer_x": float(answer[0]), "answer_y": float(answer[1]), "off": off}

    def _graded(self, prediction, state):
        half = max(self._drawings["height"], self._drawings["width"]) / 2
        return math.floor(max(0.0, 1 - prediction["off"] / half) * 100 + 0.5) / 100

    def _edited(self, name, value, state):
        if name == "picture":
            # Another picture is another question; a window was meant for the one before.
            return {**state, "prediction": None, "window": None, "picture": value}
        return super()._edited(name, value, state)

    def shown_step(self, state) -> int:
        """The step in view: none from ``ask`` on while the outcome is hidden."""
        return state["step"] if state["revealed"] else min(state["step"], self._drawings["ask"] - 1)

    def _compute(self, state):
        import torch

        from attnbook.nn import FilterBank
        from attnbook.nn.draw import bernoulli_nats

        about, drawn = self._drawings, self._unpacked[state["picture"]]
        h, w, shown = about["height"], about["width"], self.shown_step(state)
        ink = torch.tensor([float(one) for one in about["pictures"][state["picture"]]["ink"]])
        ink = ink.double().reshape(1, h, w)
        windows = {end: torch.from_numpy(drawn[end].copy()).double().reshape(-1, 5) for end in ENDS}
        if state["window"] is not None:
            mine = torch.tensor(state["window"], dtype=torch.float64)
            windows[state["end"]][shown - 1, :4] = mine
        reader = FilterBank(about["read size"], h, w)
        writer = FilterBank(about["write size"], h, w)
        size = about["write size"]
        patches = torch.from_numpy(drawn["patch"].copy()).double().reshape(-1, size, size)
        first = torch.from_numpy(unpack(about["first"]).copy()).double().reshape(h, w)
        canvas = first + writer.write(patches[:shown], windows["write"][:shown]).sum(dim=0)
        return {
            "canvas": canvas,
            "glimpse": reader.read(ink, windows["read"][shown - 1 : shown])[0],
            "nats": bernoulli_nats(canvas[None], ink)[0].item(),
            "windows": {end: windows[end][shown - 1].tolist() for end in ENDS},
            "ink": ink[0],
        }

    def _derived(self, state):
        seen = self._numbers(state)
        return {
            "canvas": [[round(x, 6) for x in row] for row in seen["canvas"].sigmoid().tolist()],
            "glimpse": [[round(x, 6) for x in row] for row in seen["glimpse"].tolist()],
            "nats": values.compact(seen["nats"]),
        }

    def _sentence(self, state):
        about = self._drawings
        where = f"Step {self.shown_step(state)} of {about['steps']} on “{state['picture']}”"
        if not state["revealed"]:
            return (
                f"{where}: the place where it writes in step {about['ask']} is hidden; place the cross and "
                "commit, or skip."
            )
        seen = self._numbers(state)
        places = {
            end: f"column {values.fixed(x, 1)}, row {values.fixed(y, 1)}"
            for end, (x, y, *_) in seen["windows"].items()
        }
        mine = f" The window that {state['end']}s is yours." if state["window"] is not None else ""
        return (
            f"{where}: it reads around {places['read']}, writes around {places['write']}, and the canvas is "
            f"{values.fixed(seen['nats'], 1)} nats from the picture.{mine}"
        )

    def _figure(self):
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        state, about = self.state, self._drawings
        seen = self._numbers(state)
        figure = Figure(figsize=(6, 3.1))
        parts = zip(figure.subplots(1, 2), ENDS, (seen["ink"], seen["canvas"].sigmoid()), strict=True)
        for axes, end, pixels in parts:
            axes.imshow(np.round(24 * pixels.numpy()), cmap="Blues", vmin=0, vmax=24, interpolation="nearest")
            title = "picture, and where it reads" if end == "read" else "canvas, and where it wrote"
            axes.set_title(f"{title}, step {self.shown_step(state)}", fontsize=9)
            x, y, stride, *_ = seen["windows"][end]
            span = (about[f"{end} size"] - 1) * stride
            corner = (x - span / 2, y - span / 2)
            axes.add_patch(Rectangle(corner, span, span, fill=False, edgecolor="#D55E00", linewidth=2))
            axes.set(xticks=[], yticks=[], xlim=(-0.5, about["width"] - 0.5))
            axes.set_ylim(about["height"] - 0.5, -0.5)
        figure.subplots_adjust(left=0.02, right=0.98, top=0.92, bottom=0.14, wspace=0.06)
        return figure


def unpack(text) -> np.ndarray:
    """Numbers as they travel: float32, little-endian, base64."""
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


def _pack(tensor) -> str:
    return base64.b64encode(tensor.numpy().astype("<f4").tobytes()).decode()


def _drawings(model, pictures, noise) -> dict:
    """What the model does with each picture, packed."""
    import copy

    import torch

    from attnbook.nn import DRAW

    if not isinstance(model, DRAW):
        raise ValueError(f"model: expected an attnbook.nn.DRAW, got {type(model).__name__}.")
    if model.reader is None or model.writer is None or model.steps < 2:
        raise ValueError(
            "model: expected windows for reading and writing and at least two steps, got "
            f"reader {model.reader}, writer {model.writer} and {model.steps} steps."
        )
    read_size, write_size = model.reader.size, model.writer.size
    if max(model.height, model.width) > MOST_SIDE:
        raise ValueError(
            f"model: expected pictures of at most {MOST_SIDE} pixels a side, got "
            f"{model.height} × {model.width}."
        )
    if not isinstance(pictures, dict) or not pictures:
        raise ValueError(
            f"pictures: expected a dict from names to at least one picture, got {type(pictures).__name__}."
        )
    values.words("pictures", list(pictures))
    ink = {name: _ink(f"pictures[{name!r}]", one, model) for name, one in pictures.items()}
    model = copy.deepcopy(model).cpu().double().eval()
    given = [[0.0] * model.latent] * model.steps if noise is None else noise
    given = torch.tensor(values.matrix("noise", given, model.steps, model.latent), dtype=torch.float64)
    patches = []
    # One call of this layer a step: what it says is what is written through the window.
    hook = model.patch.register_forward_hook(lambda layer, given, said: patches.append(said))
    with torch.no_grad():
        drawing = model(torch.stack(list(ink.values())), given.expand(len(ink), -1, -1))
    hook.remove()
    assert drawing.read is not None
    assert drawing.write is not None
    patch = torch.stack(patches, dim=1)
    return {
        "height": model.height,
        "width": model.width,
        "steps": model.steps,
        "read size": read_size,
        "write size": write_size,
        "first": _pack(model.first_canvas.detach()),
        "pictures": {
            name: {
                "ink": "".join(str(int(pixel)) for pixel in one.flatten().tolist()),
                "read": _pack(drawing.read[k]),
                "write": _pack(drawing.write[k]),
                "patch": _pack(patch[k]),
            }
            for k, (name, one) in enumerate(ink.items())
        },
    }


def _ink(name, picture, model):
    import torch

    pixels = torch.tensor(values.matrix(name, picture, model.height, model.width), dtype=torch.float64)
    if not bool(((pixels == 0) | (pixels == 1)).all()):
        raise ValueError(f"{name}: expected pixels that are 0 or 1, got others; compare them with a half.")
    return pixels
