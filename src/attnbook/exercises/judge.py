"""Decides whether an answer is right and, if it is not, which known mistake it holds.

This side holds inputs, references and expected values; it never touches the learner's objects. It reads
the replies that ``oracle.answer`` gave, wherever that ran, so that the check in a notebook and a grader
in another process use the same judgement:

>>> cases = make_cases(exercise, seed=7)                                          # doctest: +SKIP
>>> replies = [oracle.answer(thing, request(exercise, case)) for case in cases]   # doctest: +SKIP
>>> verdict = judge(exercise, cases, replies)                                     # doctest: +SKIP
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from attnbook.exercises.spec import Case, Draw, Exercise, Output
from attnbook.worker.values import Foreign, copy

RUNGS = ("defined", "signature", "runs", "type", "shape", "NaN", "properties", "values", "mask")


@dataclass
class Finding:
    """What is wrong with one case.

    ``sentence`` holds no number of this input, so that a grader may show it; ``detail`` may.
    """

    rung: str
    sentence: str
    detail: str = ""
    note: str = ""
    picture: Picture | None = None


@dataclass
class Picture:
    """Expected and actual values of one output, to be drawn."""

    output: Output
    expected: Any
    actual: Any


@dataclass
class Verdict:
    """What became of an answer.

    Attributes
    ----------
    passed : bool
    finding : Finding or None
        The lowest rung that failed, on the first case on which it did.
    named : list of dict
        The sets of known mistakes that give exactly the learner's outputs on all cases, smallest first;
        empty when there is none. More than one: they cannot be told apart on these inputs.
    diagnosis : list of str
        One paragraph for each mistake of the first set.
    by_case : list of bool
    credit : float
        From 0 to 1. See :func:`credit`.
    """

    passed: bool
    finding: Finding | None = None
    named: list[dict[str, str]] = field(default_factory=list)
    diagnosis: list[str] = field(default_factory=list)
    by_case: list[bool] = field(default_factory=list)
    credit: float = 0.0

    def feedback(self) -> list[str]:
        """Paragraphs that show nothing of the inputs: for a learner whose inputs stay hidden."""
        if self.passed:
            return ["These checks passed."]
        share = f"{sum(self.by_case)} of {len(self.by_case)} inputs were answered rightly."
        return [self.finding.sentence, *self.diagnosis, *([share] if len(self.by_case) > 1 else [])]


def make_cases(exercise: Exercise, seed: int) -> list[Case]:
    """The inputs for one seed: always the same for the same seed. A value has one case, without inputs."""
    if exercise.form == "value":
        return [Case(args={})]
    return exercise.cases(Draw(seed))


def request(exercise: Exercise, case: Case) -> dict[str, Any]:
    """What ``oracle.answer`` needs for this case, as a value that ``values.pack`` takes."""
    result: dict[str, Any] = {"form": exercise.form, "args": list(copy(dict(case.args)).values())}
    if exercise.form == "module":
        result["init"] = list(case.init.values())
        result["state"] = copy(dict(case.state))
        result["cotangents"] = list(copy(list(case.cotangents)))
    return result


def expected(exercise: Exercise, case: Case, switches: dict[str, str] | None = None) -> dict[str, Any]:
    """The outputs by name of the reference, or of a known-wrong variant; for a module also
    ``"gradient of NAME"`` for each parameter."""
    switches = switches or {}
    args = copy(dict(case.args))
    if exercise.form != "module":
        return _by_name(exercise, exercise.variant(**args, **switches))
    state = {name: tensor.detach().clone().requires_grad_(True) for name, tensor in case.state.items()}
    outputs = _by_name(exercise, exercise.variant(state, **args, **switches))
    parts = [
        (output * cotangent).sum()
        for output, cotangent in zip(outputs.values(), case.cotangents, strict=True)
        if output.requires_grad and output.shape == cotangent.shape
    ]
    leaves = list(state.values())
    found = torch.autograd.grad(sum(parts), leaves, allow_unused=True) if parts else [None] * len(leaves)
    result = {name: output.detach() for name, output in outputs.items()}
    for (name, leaf), gradient in zip(state.items(), found, strict=True):
        result[f"gradient of {name}"] = torch.zeros_like(leaf) if gradient is None else gradient
    return result


def _by_name(exercise: Exercise, value: Any) -> dict[str, Any]:
    if len(exercise.outputs) == 1:
        return {exercise.outputs[0].name: value}
    return {output.name: part for output, part in zip(exercise.outputs, value, strict=True)}


def judge(
    exercise: Exercise, cases: Sequence[Case], replies: Sequence[dict], diagnose: bool = True
) -> Verdict:
    """The verdict on replies to these cases, in order; fewer replies than cases means the rest never ran."""
    if exercise.form == "value":
        return _judge_value(exercise, replies[0] if replies else {"status": "missing"})
    findings: list[Finding | None] = []
    actuals: list[dict[str, Any] | None] = []
    for index, case in enumerate(cases):
        reply = replies[index] if index < len(replies) else {"status": "not run"}
        finding, actual = _judge_case(exercise, case, reply)
        findings.append(finding)
        actuals.append(actual)
    by_case = [finding is None for finding in findings]
    verdict = Verdict(all(by_case), by_case=by_case, credit=credit(exercise, cases, by_case))
    if verdict.passed:
        return verdict
    failed = [finding for finding in findings if finding is not None]
    verdict.finding = min(failed, key=lambda finding: RUNGS.index(finding.rung))
    if diagnose and any(actual is not None for actual in actuals):
        statuses = [reply.get("status") for reply in replies] + ["not run"] * (len(cases) - len(replies))
        verdict.named = matching(exercise, cases, actuals, statuses)
        if verdict.named:
            verdict.diagnosis = exercise.explain(verdict.named[0])
    return verdict


def credit(exercise: Exercise, cases: Sequence[Case], by_case: Sequence[bool]) -> float:
    """The share of the points: 1 if all cases are right; for a function or a module to write, the share of
    right cases as long as every plain one is among them; otherwise 0."""
    if all(by_case):
        return 1.0
    plain = [right for case, right in zip(cases, by_case, strict=True) if case.group == "plain"]
    if exercise.kind not in ("function", "module") or not all(plain):
        return 0.0
    return sum(by_case) / len(by_case)


# The rungs, case by case


def _judge_case(exercise: Exercise, case: Case, reply: dict) -> tuple[Finding | None, dict[str, Any] | None]:
    """The finding, and the learner's outputs by name where they can be compared."""
    finding = _did_not_return(exercise, case, reply)
    if finding is not None:
        return finding, None
    reference = expected(exercise, case)
    finding, actual = _read_outputs(exercise, reply, reference)
    if finding is not None:
        finding.note = case.note
        return finding, None
    if exercise.form == "module":
        for name in case.state:
            gradient = (reply.get("gradients") or {}).get(name)
            key = f"gradient of {name}"
            actual[key] = gradient if isinstance(gradient, torch.Tensor) else torch.zeros_like(reference[key])
    mutated = reply.get("mutated") or []
    if mutated:
        names = [name for index, name in enumerate(case.args) if index in mutated]
        return Finding(
            "type",
            f"Your answer changes its input {_and(names)} in place. The caller still needs it: "
            "work on a copy (`.clone()`), or use the operation without the trailing underscore.",
            note=case.note,
        ), actual
    for rung in (_shapes, _not_a_number, _properties, _values):
        finding = rung(exercise, case, reference, actual)
        if finding is not None:
            finding.note = case.note
            return finding, actual
    return None, actual


def _did_not_return(exercise: Exercise, case: Case, reply: dict) -> Finding | None:
    status = reply.get("status")
    what = "class" if exercise.form == "module" else "function"
    if status == "returned":
        return None
    if status == "missing":
        return Finding("defined", f"`{exercise.name}` is None: nothing has been assigned to it yet.")
    if status == "unfinished":
        return Finding(
            "defined", f"`{exercise.name}` still raises NotImplementedError: this one waits for your code."
        )
    if status == "not callable":
        return Finding(
            "defined",
            f"`{exercise.name}` should be a {what}, and it is an object of type "
            f"{_text(reply.get('kind'))}. Was its name used for something else afterwards?",
        )
    if status == "signature":
        wanted = exercise.signature
        return Finding(
            "signature",
            f"The {what} should be called as `{wanted}`; yours takes `{_text(reply.get('parameters'))}`.",
        )
    if status == "not a module":
        return Finding(
            "signature",
            f"`{exercise.name}(…)` should make a `torch.nn.Module`: let the class inherit "
            "from it, and call `super().__init__()` first.",
        )
    if status == "state":
        return _wrong_state(case, reply)
    if status == "timeout":
        return Finding(
            "runs",
            f"Your code did not come back within {exercise.time_limit:g} seconds. Look for a loop "
            "whose end is never reached.",
            note=case.note,
        )
    if status == "stopped":
        return Finding("runs", "You stopped the check before your code came back.", note=case.note)
    if status == "not run":  # the last rung: what stopped the run is the finding that counts
        return Finding("mask", "This input was not tried, because of an earlier one.", note=case.note)
    error = reply.get("error") or {}
    lines = [f"  {_text(line)}" for line in error.get("where", [])[:8]]
    lines.append(f"  {_text(error.get('type', 'an error'))}: {_text(error.get('message', ''))}")
    return Finding(
        "runs", f"Your code raises {_text(error.get('type', 'an error'))}.", "\n".join(lines), case.note
    )


def _wrong_state(case: Case, reply: dict) -> Finding:
    found = {name: tuple(shape) for name, shape in (reply.get("found") or {}).items()}
    wanted = {name: tuple(tensor.shape) for name, tensor in case.state.items()}
    sizes = ", ".join(f"{name}={value}" for name, value in case.init.items())
    missing, extra = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    parts = []
    if missing:
        parts.append(f"it lacks the parameter {_and(missing)}")
    if extra:
        parts.append(f"it has {_and(extra)}, which nobody asked for")
    wrong = [name for name in wanted if name in found and found[name] != wanted[name]]
    if wrong:
        parts.append(f"the shape of {_and(wrong)} is not the one asked for")
    detail = "; ".join(f"{name}: expected {wanted[name]}, got {found[name]}" for name in wrong)
    return Finding(
        "shape",
        f"The module's parameters are not as described: {'; '.join(parts)}.",
        f"  with {sizes}: {detail}" if detail else "",
    )


def _read_outputs(exercise, reply, reference) -> tuple[Finding | None, dict[str, Any] | None]:
    value = reply.get("value")
    outputs = exercise.outputs
    if value is None:
        return Finding("type", "Your answer returns None: is the `return` missing?"), None
    if len(outputs) > 1:
        names = ", ".join(output.name for output in outputs)
        if not isinstance(value, (tuple, list)) or len(value) != len(outputs):
            got = f"{len(value)} values" if isinstance(value, (tuple, list)) else _kind(value)
            return Finding(
                "type", f"Your answer should return {len(outputs)} values, ({names}); it returns {got}."
            ), None
        parts = list(value)
    else:
        if isinstance(value, (tuple, list)) and outputs[0].kind != "tokens":
            return Finding(
                "type",
                f"Your answer should return {_wanted(outputs[0])} alone; it returns a "
                f"{type(value).__name__} of {len(value)}.",
            ), None
        parts = [value]
    actual = {}
    for output, part in zip(outputs, parts, strict=True):
        problem, read = _read(output, part, reference[output.name])
        if problem:
            return Finding("type", problem), None
        actual[output.name] = read
    if reply.get("device"):
        return Finding(
            "type",
            f"Your answer returns a tensor on {_text(reply['device'])}, and its inputs were elsewhere: "
            "make new tensors with `device=` that of an input.",
        ), None
    return None, actual


def _read(output: Output, part: Any, reference: Any) -> tuple[str, Any]:
    """A sentence on what is wrong with the type, or the value to compare."""
    name = output.name
    if isinstance(part, Foreign) and "numpy" in part.kind:
        return f"`{name}` is a NumPy array: stay in torch (`torch.from_numpy` turns one into a tensor).", None
    if part is None:
        return f"`{name}` is None; it should be {_wanted(output)}.", None
    if output.kind == "tensor":
        if not isinstance(part, torch.Tensor):
            return f"`{name}` should be {_wanted(output)}; it is {_kind(part)}.", None
        wanted, got = reference.dtype, part.dtype
        if wanted != got and not (_is_integer(wanted) and _is_integer(got)):
            return (
                f"`{name}` has dtype {_dtype(got)}, and {_dtype(wanted)} was expected: "
                f"`.to(torch.{_dtype(wanted)})` converts it."
            ), None
        return "", part
    if output.kind == "tokens":
        if isinstance(part, torch.Tensor) and part.dim() == 1 and _is_integer(part.dtype):
            return "", part.tolist()
        items = [_item(item) for item in part] if isinstance(part, (list, tuple)) else None
        if items is None or any(type(item) is not int for item in items):
            return f"`{name}` should be a list of whole numbers; it is {_kind(part)}.", None
        return "", items
    item = _item(part)
    if isinstance(item, bool) or not isinstance(item, (int, float)):
        return f"`{name}` should be {_wanted(output)}; it is {_kind(part)}.", None
    if output.kind == "integer" and item != int(item if math.isfinite(item) else 0):
        return f"`{name}` should be a whole number; it is {item!r}.", None
    return "", item


def _item(part: Any) -> Any:
    return part.item() if isinstance(part, torch.Tensor) and part.dim() == 0 else part


def _shapes(exercise: Exercise, case: Case, reference: dict, actual: dict) -> Finding | None:
    tensors = [output for output in exercise.outputs if output.kind == "tensor"]
    if len(tensors) == 2:
        first, second = (output.name for output in tensors)
        crossed = (actual[first].shape, actual[second].shape) == (
            reference[second].shape,
            reference[first].shape,
        )
        if crossed and reference[first].shape != reference[second].shape:
            return Finding(
                "shape", f"The two results look swapped: return ({first}, {second}), in this order."
            )
    for output in tensors:
        wanted, got = tuple(reference[output.name].shape), tuple(actual[output.name].shape)
        if wanted != got:
            named = ", ".join(f"{axis} {size}" for axis, size in zip(output.axes, wanted, strict=True))
            sentence = f"`{output.name}` has the wrong shape: expected ({', '.join(output.axes)}). "
            return Finding(
                "shape", sentence + _read_shape(output.axes, wanted, got), f"  expected ({named}), got {got}"
            )
    return None


def _read_shape(axes: tuple[str, ...], wanted: tuple[int, ...], got: tuple[int, ...]) -> str:
    if sorted(wanted) == sorted(got) and len(set(wanted)) == len(wanted):
        order = [axes[wanted.index(size)] for size in got]
        return f"Yours is ({', '.join(order)}): two axes are exchanged."
    if len(got) < len(wanted):
        missing = [axis for axis, size in zip(axes, wanted, strict=True) if size not in got]
        if missing and len(missing) == len(wanted) - len(got):
            return f"The axis {_and(missing)} is gone: was it summed, averaged or indexed away?"
        return f"Yours has {len(got)} axes instead of {len(wanted)}."
    if len(got) > len(wanted):
        return f"Yours has {len(got)} axes instead of {len(wanted)}: is an `unsqueeze` or a `None` too many?"
    wrong = [axis for axis, a, b in zip(axes, wanted, got, strict=True) if a != b]
    return f"The axis {_and(wrong)} has another size."


def _not_a_number(exercise: Exercise, case: Case, reference: dict, actual: dict) -> Finding | None:
    for output in exercise.outputs:
        value = actual[output.name]
        if output.kind == "tensor" and value.is_floating_point() and not bool(value.isfinite().all()):
            kind = "NaN" if bool(value.isnan().any()) else "infinity"
        elif output.kind == "number" and not math.isfinite(value):
            kind = "NaN" if math.isnan(value) else "infinity"
        else:
            continue
        why = (
            "often 0 / 0, or a softmax over nothing but −∞"
            if kind == "NaN"
            else "often an exp that overflowed"
        )
        return Finding(
            "NaN", f"`{output.name}` holds {kind}: {why}.", picture=_picture(output, reference, actual)
        )
    return None


def _properties(exercise: Exercise, case: Case, reference: dict, actual: dict) -> Finding | None:
    for prop in exercise.properties:
        try:
            holds = bool(prop.holds(case.args, actual))
        except Exception:
            holds = False
        if not holds:
            return Finding(
                "properties",
                f"A property does not hold: {prop.text}.",
                picture=_worst(exercise, reference, actual, prop.text),
            )
    return None


def _values(exercise: Exercise, case: Case, reference: dict, actual: dict) -> Finding | None:
    rung = "values" if case.group == "plain" else "mask"
    for output in exercise.outputs:
        if not close(exercise, reference[output.name], actual[output.name]):
            picture = _picture(output, reference, actual)
            return Finding(
                rung,
                f"`{output.name}` has the right form, and its values are not the expected ones.",
                _difference(picture),
                picture=picture,
            )
    for name in reference:
        if name.startswith("gradient of ") and not close(exercise, reference[name], actual[name]):
            axes = tuple(f"axis {i}" for i in range(reference[name].dim()))
            picture = Picture(Output(name, axes), reference[name], actual[name])
            return Finding(
                rung,
                f"The outputs are right, but the {name} is not: does the way from this parameter to "
                "the output pass through `.detach()`, `.data`, `torch.no_grad()` or a number?",
                _difference(picture),
                picture=picture,
            )
    return None


def close(exercise: Exercise, wanted: Any, got: Any) -> bool:
    """Equal within the exercise's tolerance; NaN equals NaN (a known-wrong variant may give it)."""
    relative, absolute = exercise.tolerance
    if isinstance(wanted, torch.Tensor):
        if not isinstance(got, torch.Tensor) or wanted.shape != got.shape:
            return False
        if not wanted.is_floating_point():
            return bool((wanted.to(torch.int64) == got.to(torch.int64)).all())
        return torch.allclose(got.double(), wanted.double(), rtol=relative, atol=absolute, equal_nan=True)
    if isinstance(wanted, float) and isinstance(got, (int, float)):
        if math.isnan(wanted) or math.isnan(got):
            return math.isnan(wanted) and math.isnan(got)
        return wanted == got or abs(wanted - got) <= absolute + relative * abs(wanted)
    return type(wanted) is type(got) and wanted == got


def _picture(output: Output, reference: dict, actual: dict) -> Picture:
    return Picture(output, reference[output.name], actual[output.name])


def _worst(exercise: Exercise, reference: dict, actual: dict, text: str) -> Picture | None:
    """An output that is not as expected, if possible one that the property speaks of."""
    for output in sorted(exercise.outputs, key=lambda output: output.name.rstrip("s") not in text):
        if not close(exercise, reference[output.name], actual[output.name]):
            return _picture(output, reference, actual)
    return None


def _difference(picture: Picture) -> str:
    wanted, got = picture.expected, picture.actual
    if not isinstance(wanted, torch.Tensor):
        return f"  expected {_short(wanted)}, got {_short(got)}"
    if not wanted.is_floating_point() or wanted.numel() == 0:
        return ""
    gap = (wanted.double() - got.double()).abs()
    if not bool(gap.isfinite().all()):
        return ""
    where = [int(i) for i in torch.unravel_index(gap.argmax(), gap.shape)] if gap.dim() else []
    at = ", ".join(f"{axis} {i}" for axis, i in zip(picture.output.axes, where, strict=True))
    index = tuple(where)
    return (
        f"  largest difference{f' at ({at})' if at else ''}: expected {float(wanted[index]):.4f}, "
        f"got {float(got[index]):.4f}"
    )


# Values: predictions, measurements, choices


def _judge_value(exercise: Exercise, reply: dict) -> Verdict:
    value = reply.get("value")
    output = exercise.outputs[0]

    def fail(rung: str, sentence: str, *paragraphs: str) -> Verdict:
        return Verdict(False, Finding(rung, sentence), diagnosis=list(paragraphs), by_case=[False])

    if reply.get("status") != "returned" or value is None:
        return fail("defined", f"`{exercise.name}` is None: nothing has been assigned to it yet.")
    right = exercise.variant()
    if output.kind == "option":
        if not isinstance(value, str):
            return fail("type", f"`{exercise.name}` should be one letter in quotes; it is {_kind(value)}.")
        given = value.strip().strip("().").lower()
        options = sorted([right, *(near.value for near in exercise.nearby)])
        if given not in options:
            return fail("type", f"`{exercise.name}` should be one of {', '.join(options)}.")
        if given == right:
            return Verdict(True, by_case=[True], credit=1.0)
        reasons = [near.text for near in exercise.nearby if near.value == given]
        verdict = fail("values", "Another option is right.", *reasons)
        verdict.named = [{"option": given}]
        return verdict
    given = _item(value)
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        return fail("type", f"`{exercise.name}` should be a single number; it is {_kind(value)}.")
    if not math.isfinite(given):
        return fail("NaN", f"`{exercise.name}` should be a finite number.")
    if abs(given - right) <= exercise.tolerance[1] + 1e-9:
        return Verdict(True, by_case=[True], credit=1.0)
    for near in exercise.nearby:
        if abs(given - near.value) <= near.tolerance + 1e-9:
            verdict = fail("values", "That is not the value.", near.text)
            verdict.named = [{"value": str(near.value)}]
            return verdict
    side = "high" if given > right else "low"
    return fail(
        "values", f"That is too {side}." if exercise.kind == "measurement" else "That is not the value."
    )


# Diagnosis


def matching(exercise: Exercise, cases, actuals, statuses) -> list[dict[str, str]]:
    """The smallest sets of known mistakes that agree with the learner's outputs on *all* cases.

    A case on which the learner's code raised agrees with a variant that cannot be computed there either.
    """
    found: list[dict[str, str]] = []
    for switches in exercise.combinations():
        if found and len(switches) > len(found[0]):
            break
        if all(
            _agrees(exercise, case, switches, actual, status)
            for case, actual, status in zip(cases, actuals, statuses, strict=True)
        ):
            found.append(switches)
    return found


def _agrees(exercise: Exercise, case: Case, switches, actual, status) -> bool:
    try:
        wanted = expected(exercise, case, switches)
    except Exception:
        return actual is None and status == "raised"
    if actual is None:
        return False
    return all(close(exercise, wanted[name], actual[name]) for name in wanted)


# Words


def _and(names: Sequence[str]) -> str:
    names = [f"`{name}`" for name in names]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _text(value: Any) -> str:
    return str(value)[:600]


def _is_integer(dtype: torch.dtype) -> bool:
    return dtype != torch.bool and not dtype.is_floating_point and not dtype.is_complex


def _dtype(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _kind(value: Any) -> str:
    if isinstance(value, Foreign):
        return f"an object of type {value.kind}"
    if isinstance(value, torch.Tensor):
        return f"a {_dtype(value.dtype)} tensor of shape {tuple(value.shape)}"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"the {type(value).__name__} {_short(value)}"


def _wanted(output: Output) -> str:
    return {
        "tensor": f"a tensor ({', '.join(output.axes)})"
        if output.axes
        else ("a tensor with a single number"),
        "number": "a single number",
        "integer": "a whole number",
        "tokens": "a list of whole numbers",
        "option": "one letter in quotes",
    }[output.kind]


def _short(value: Any) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
