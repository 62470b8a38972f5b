"""Decides whether an answer is right and, if it is not, which known mistake it holds.

This side holds inputs, references and expected values; it never touches the learner's objects. It reads
the replies that ``oracle.answer`` gave, wherever that ran, so that the check in a notebook and a grader
in another process use the same judgement:

>>> cases = exercise.make_cases(seed=7)                                           # doctest: +SKIP
>>> replies = [oracle.answer(thing, exercise.request(case)) for case in cases]    # doctest: +SKIP
>>> verdict = judge(exercise, cases, replies)                                     # doctest: +SKIP
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch

from attnbook.exercises import words
from attnbook.exercises.spec import Case, CodeExercise, Exercise, Output, Value
from attnbook.worker.values import Foreign

_TURNS_ALL = re.compile(r"\b(?:key|query|value|words|memory|annotations|x|k|q|v)\.T\b")
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


@dataclass(frozen=True)
class Passed:
    """A right answer; ``by_case`` is True for each case."""

    by_case: list[bool]
    passed: ClassVar[Literal[True]] = True
    credit: ClassVar[float] = 1.0

    def feedback(self) -> list[str]:
        """What a learner reads."""
        return ["These checks passed."]


@dataclass(frozen=True)
class Failed:
    """An answer that is not right.

    Attributes
    ----------
    finding : Finding
        The lowest rung that failed, on the first case on which it did.
    by_case : list of bool
    credit : float
        From 0 to 1. See :meth:`~attnbook.exercises.spec.CodeExercise.credit`.
    named : list of dict
        The sets of known mistakes that give exactly the learner's outputs on all cases, smallest first;
        empty when there is none. More than one: they cannot be told apart on these inputs.
    diagnosis : list of str
        One paragraph for each mistake of the first set.
    in_part : str
        Where no set explains everything: a paragraph on the one mistake that explains one of several outputs.
    """

    finding: Finding
    by_case: list[bool]
    credit: float = 0.0
    named: list[dict[str, str]] = field(default_factory=list)
    diagnosis: list[str] = field(default_factory=list)
    in_part: str = ""
    passed: ClassVar[Literal[False]] = False

    def feedback(self) -> list[str]:
        """Paragraphs that show nothing of the inputs: for a learner whose inputs stay hidden."""
        share = f"{sum(self.by_case)} of {len(self.by_case)} inputs were answered rightly."
        said = [*self.diagnosis, *([self.in_part] if self.in_part else [])]
        return [self.finding.sentence, *said, *([share] if len(self.by_case) > 1 else [])]


Verdict = Passed | Failed


def judge(
    exercise: Exercise, cases: Sequence[Case], replies: Sequence[dict], diagnose: bool = True
) -> Verdict:
    """The verdict on replies to these cases, in order; fewer replies than cases means the rest never ran."""
    if isinstance(exercise, Value):
        return _judge_value(exercise, replies[0] if replies else {"status": "missing"})
    assert isinstance(exercise, CodeExercise)  # there is no third kind
    findings: list[Finding | None] = []
    actuals: list[dict[str, Any] | None] = []
    for index, case in enumerate(cases):
        reply = replies[index] if index < len(replies) else {"status": "not run"}
        finding, actual = _judge_case(exercise, case, reply)
        findings.append(finding)
        actuals.append(actual)
    by_case = [finding is None for finding in findings]
    if all(by_case):
        return Passed(by_case)
    named: list[dict[str, str]] = []
    in_part = ""
    if diagnose and any(actual is not None for actual in actuals):
        statuses = [reply.get("status") for reply in replies] + ["not run"] * (len(cases) - len(replies))
        named = matching(exercise, cases, actuals, statuses)
        in_part = "" if named else _explained_in_part(exercise, cases, actuals)
    return Failed(
        finding=_first(cases, findings),
        by_case=by_case,
        credit=exercise.credit(cases, by_case),
        named=named,
        diagnosis=exercise.explain(named[0]) if named else [],
        in_part=in_part,
    )


def _first(cases: Sequence[Case], findings: Sequence[Finding | None]) -> Finding:
    """The lowest rung that failed; of what code gave back, first what is wrong on ordinary inputs."""
    failed = [
        (finding, case.group == "plain")
        for case, finding in zip(cases, findings, strict=True)
        if finding is not None
    ]
    gave = RUNGS.index("NaN")
    lowest, _ = min(failed, key=lambda one: RUNGS.index(one[0].rung))
    if RUNGS.index(lowest.rung) < gave:
        return lowest
    return min(failed, key=lambda one: (not one[1], RUNGS.index(one[0].rung)))[0]


# The rungs, case by case


def _judge_case(
    exercise: CodeExercise, case: Case, reply: dict
) -> tuple[Finding | None, dict[str, Any] | None]:
    """The finding, and the learner's outputs by name where they can be compared."""
    finding = _did_not_return(exercise, case, reply)
    if finding is not None:
        return finding, None
    reference = exercise.expected(case)
    finding, actual = _read_outputs(exercise, reply, reference)
    if finding is not None:
        finding.note = case.note
        return finding, None
    actual |= exercise.more_outputs(case, reply)
    mutated = reply.get("mutated") or []
    if mutated:
        names = [name for index, name in enumerate(case.args) if index in mutated]
        return Finding(
            "type",
            f"Your answer changes its input {words.join(names)} in place. The caller still needs it: "
            "work on a copy (`.clone()`), or use the operation without the trailing underscore.",
            note=case.note,
        ), actual
    for rung in (_shapes, _not_a_number, _properties, _values):
        finding = rung(exercise, case, reference, actual)
        if finding is not None:
            finding.note = case.note
            return finding, actual
    return None, actual


def _did_not_return(exercise: CodeExercise, case: Case, reply: dict) -> Finding | None:
    status = reply.get("status")
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
            f"`{exercise.name}` should be a {exercise.noun}, and it is an object of type "
            f"{words.text(reply.get('kind'))}. Was its name used for something else afterwards?",
        )
    if status == "signature":
        return Finding(
            "signature",
            f"The {exercise.noun} should be called as `{exercise.signature}`; "
            f"yours takes `{words.text(reply.get('parameters'))}`.",
        )
    if status == "not a module":
        return Finding(
            "signature",
            f"`{exercise.name}(…)` should make a `torch.nn.Module`: let the class inherit "
            "from it, and call `super().__init__()` first.",
        )
    if status == "no forward":
        near = (
            f": did you mean `forward` where it says `{words.text(reply['near'])}`?"
            if reply.get("near")
            else "."
        )
        return Finding("signature", f"`{exercise.name}` has no method `forward`{near}")
    if status == "instance":
        return Finding(
            "defined",
            f"`{exercise.name}` is an object that was made from a class. Hand over the class itself, "
            f'`check("{exercise.id}", {exercise.name})`.',
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
    lines = [f"  {words.text(line)}" for line in error.get("where", [])[:8]]
    lines.append(f"  {words.text(error.get('type', 'an error'))}: {words.text(error.get('message', ''))}")
    if any(_TURNS_ALL.search(str(line)) for line in error.get("where", [])):
        lines.append("  `.T` turns round all axes of a tensor; `.mT` exchanges the last two.")
    return Finding(
        "runs", f"Your code raises {words.text(error.get('type', 'an error'))}.", "\n".join(lines), case.note
    )


def _wrong_state(case: Case, reply: dict) -> Finding:
    found = {name: tuple(shape) for name, shape in (reply.get("found") or {}).items()}
    wanted = {name: tuple(tensor.shape) for name, tensor in case.state.items()}
    sizes = ", ".join(f"{name}={value}" for name, value in case.init.items())
    missing, extra = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    parts = []
    if missing:
        parts.append(f"it lacks the parameter {words.join(missing)}")
    if extra:
        parts.append(f"it has {words.join(extra)}, which nobody asked for")
    wrong = [name for name in wanted if name in found and found[name] != wanted[name]]
    if wrong:
        parts.append(f"the shape of {words.join(wrong)} is not the one asked for")
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
            got = f"{len(value)} values" if isinstance(value, (tuple, list)) else words.kind(value)
            return Finding(
                "type", f"Your answer should return {len(outputs)} values, ({names}); it returns {got}."
            ), None
        parts = list(value)
    else:
        if isinstance(value, (tuple, list)) and outputs[0].kind != "tokens":
            return Finding(
                "type",
                f"Your answer should return {outputs[0].described()} alone; it returns a "
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
            f"Your answer returns a tensor on {words.text(reply['device'])}, and its inputs were elsewhere: "
            "make new tensors with `device=` that of an input.",
        ), None
    return None, actual


def _read(output: Output, part: Any, reference: Any) -> tuple[str, Any]:
    """A sentence on what is wrong with the type, or the value to compare."""
    name = output.name
    if isinstance(part, Foreign) and "numpy" in part.kind:
        return f"`{name}` is a NumPy array: stay in torch (`torch.from_numpy` turns one into a tensor).", None
    if part is None:
        return f"`{name}` is None; it should be {output.described()}.", None
    if output.kind == "tensor":
        if not output.dims and isinstance(part, int | float) and not isinstance(part, bool):
            part = torch.tensor(float(part), dtype=reference.dtype)  # one number is one number
        if not isinstance(part, torch.Tensor):
            return f"`{name}` should be {output.described()}; it is {words.kind(part)}.", None
        wanted, got = reference.dtype, part.dtype
        if wanted != got and not (_is_integer(wanted) and _is_integer(got)):
            return (
                f"`{name}` has dtype {words.dtype(got)}, and {words.dtype(wanted)} was expected: "
                f"`.to(torch.{words.dtype(wanted)})` converts it."
            ), None
        return "", part
    if output.kind == "tokens":
        if isinstance(part, torch.Tensor) and part.dim() == 1 and _is_integer(part.dtype):
            return "", part.tolist()
        items = [_item(item) for item in part] if isinstance(part, (list, tuple)) else None
        if items is None or any(type(item) is not int for item in items):
            return f"`{name}` should be a list of whole numbers; it is {words.kind(part)}.", None
        return "", items
    item = _item(part)
    if isinstance(item, bool) or not isinstance(item, (int, float)):
        return f"`{name}` should be {output.described()}; it is {words.kind(part)}.", None
    if output.kind == "integer" and item != int(item if math.isfinite(item) else 0):
        return f"`{name}` should be a whole number; it is {item!r}.", None
    return "", item


def _item(part: Any) -> Any:
    return part.item() if isinstance(part, torch.Tensor) and part.dim() == 0 else part


def _shapes(exercise: CodeExercise, case: Case, reference: dict, actual: dict) -> Finding | None:
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
            named = ", ".join(f"{axis} {size}" for axis, size in zip(output.dims, wanted, strict=True))
            form = f"expected ({', '.join(output.dims)})" if output.dims else "one number was expected"
            sentence = f"`{output.name}` has the wrong shape: {form}. "
            return Finding(
                "shape", sentence + _read_shape(output.dims, wanted, got), f"  expected ({named}), got {got}"
            )
    return None


def _read_shape(axes: tuple[str, ...], wanted: tuple[int, ...], got: tuple[int, ...]) -> str:
    if not wanted:
        return "Yours holds one number for each of several things: is a mean or a sum missing?"
    if sorted(wanted) == sorted(got) and len(set(wanted)) == len(wanted):
        order = [axes[wanted.index(size)] for size in got]
        return f"Yours is ({', '.join(order)}): two axes are exchanged."
    if len(got) < len(wanted):
        missing = [axis for axis, size in zip(axes, wanted, strict=True) if size not in got]
        if missing and len(missing) == len(wanted) - len(got):
            return f"The axis {words.join(missing)} is gone: was it summed, averaged or indexed away?"
        return f"Yours has {len(got)} axes instead of {len(wanted)}."
    if len(got) > len(wanted):
        return f"Yours has {len(got)} axes instead of {len(wanted)}: is an `unsqueeze` or a `None` too many?"
    wrong = [axis for axis, a, b in zip(axes, wanted, got, strict=True) if a != b]
    return f"The axis {words.join(wrong)} has another size."


def _not_a_number(exercise: CodeExercise, case: Case, reference: dict, actual: dict) -> Finding | None:
    for output in exercise.outputs:
        value = actual[output.name]
        if output.kind == "tensor" and value.is_floating_point() and not bool(value.isfinite().all()):
            kind = "NaN" if bool(value.isnan().any()) else "infinity"
        elif output.kind == "number" and not math.isfinite(value):
            kind = "NaN" if math.isnan(value) else "infinity"
        else:
            continue
        why = "often 0 / 0, or a softmax over nothing but −∞"
        if kind == "infinity":
            why = "often an exp that overflowed, or the logarithm of 0"
        elif _allows_everything(case):
            why = (
                "the mask of this input allows everything, and yet nothing is left. Is it read the wrong way "
                "round (a `~` too few or too many)? Or multiplied with −∞: 0 · ∞ is NaN, so use `masked_fill`"
            )
        return Finding(
            "NaN",
            f"`{output.name}` holds {kind}: {why}.",
            _where_not_finite(output, value),
            picture=_picture(output, reference, actual),
        )
    return None


def _allows_everything(case: Case) -> bool:
    """Whether the input has a mask, and it forbids nothing."""
    mask = case.args.get("mask")
    return isinstance(mask, torch.Tensor) and mask.dtype == torch.bool and bool(mask.all())


def _where_not_finite(output: Output, value: Any) -> str:
    """Which part of a tensor is not finite, in words; empty where there are no words for it."""
    if not isinstance(value, torch.Tensor) or value.dim() < 1:
        return ""
    bad = ~value.isfinite()
    if bool(bad.all()):
        return "  All of it, on this input."
    axes = output.dims
    if value.dim() == 1:
        return f"  It stands in {_which('place', bad)} along `{axes[0]}`."
    rows, some = bad.all(-1), bad.any(-1)
    if torch.equal(rows, some):
        by_batch = rows.flatten(0, -2) if rows.dim() > 1 else rows[None]
        if not bool((by_batch == by_batch[0]).all()):
            return f"  It fills {int(rows.sum())} of {rows.numel()} rows; the others are finite."
        everywhere = f", in every {' and '.join(axes[:-2])}" if value.dim() > 2 else ""
        return f"  It fills {_which('row', by_batch[0])} along `{axes[-2]}`{everywhere}."
    columns = bad.flatten(0, -2)
    if torch.equal(columns.all(0), columns.any(0)):
        return f"  It fills {_which('column', columns[0])} along `{axes[-1]}`."
    return f"  It stands at {int(bad.sum())} of {bad.numel()} places, and fills no row."


def _which(noun: str, there: torch.Tensor) -> str:
    """Which rows, columns or places these are, in words."""
    places = [int(place) for place in there.nonzero().flatten()]
    count = len(there)
    if places in ([0], [count - 1]):
        return f"the {'first' if places == [0] else 'last'} {noun}"
    if places in (list(range(1, count)), list(range(count - 1))):
        return f"all {noun}s but the {'first' if places[0] == 1 else 'last'}"
    return f"the {noun}{'s' * (len(places) > 1)} {', '.join(map(str, places[:8]))}"


def _properties(exercise: CodeExercise, case: Case, reference: dict, actual: dict) -> Finding | None:
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


def _values(exercise: CodeExercise, case: Case, reference: dict, actual: dict) -> Finding | None:
    rung = "values" if case.group == "plain" else "mask"
    swapped = _swapped(exercise, reference, actual)
    if swapped:
        return Finding(rung, swapped)
    for output in exercise.outputs:
        if not close(exercise, reference[output.name], actual[output.name]):
            picture = _picture(output, reference, actual)
            return Finding(
                rung,
                f"`{output.name}` has the right form, and its values are not the expected ones.",
                "\n".join(filter(None, [_small_input(case), _difference(picture)])),
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


def _swapped(exercise: CodeExercise, reference: dict, actual: dict) -> str:
    """A sentence where two results of one shape stand in each other's place, or nothing."""
    for first, second in itertools.combinations([output.name for output in exercise.outputs], 2):
        crossed = (reference[first], actual[second]), (reference[second], actual[first])
        if not close(exercise, reference[first], reference[second]) and all(
            close(exercise, wanted, got) for wanted, got in crossed
        ):
            order = ", ".join(output.name for output in exercise.outputs)
            return f"The results {words.join([first, second])} look swapped: return ({order}), in this order."
    return ""


def close(exercise: CodeExercise, wanted: Any, got: Any) -> bool:
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


def _small_input(case: Case) -> str:
    """The input as it is called, where it is a few numbers and no tensor."""
    if any(isinstance(value, torch.Tensor | dict) for value in case.args.values()):
        return ""
    text = ", ".join(f"{name} = {_rounded(value)}" for name, value in case.args.items())
    return f"  Input: {text}" if len(text) <= 300 else ""


def _rounded(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def _picture(output: Output, reference: dict, actual: dict) -> Picture:
    return Picture(output, reference[output.name], actual[output.name])


def _worst(exercise: CodeExercise, reference: dict, actual: dict, text: str) -> Picture | None:
    """An output that is not as expected, if possible one that the property speaks of."""
    for output in sorted(exercise.outputs, key=lambda output: output.name.rstrip("s") not in text):
        if not close(exercise, reference[output.name], actual[output.name]):
            return _picture(output, reference, actual)
    return None


def _difference(picture: Picture) -> str:
    wanted, got = picture.expected, picture.actual
    if not isinstance(wanted, torch.Tensor):
        return "  expected {}, got {}".format(*words.told_apart(wanted, got))
    if not wanted.is_floating_point() or wanted.numel() == 0:
        return ""
    gap = (wanted.double() - got.double()).abs()
    if not bool(gap.isfinite().all()):
        return ""
    where = [int(i) for i in torch.unravel_index(gap.argmax(), gap.shape)] if gap.dim() else []
    at = ", ".join(f"{axis} {i}" for axis, i in zip(picture.output.dims, where, strict=True))
    index = tuple(where)
    expected, actual = words.told_apart(float(wanted[index]), float(got[index]))
    largest = f"largest difference at ({at}): " if at else ""
    return f"  {largest}expected {expected}, got {actual}"


# Values: predictions, measurements, choices


def _judge_value(exercise: Value, reply: dict) -> Verdict:
    value = reply.get("value")

    def fail(rung: str, sentence: str) -> Failed:
        return Failed(Finding(rung, sentence), by_case=[False])

    if reply.get("status") != "returned" or value is None:
        return fail("defined", f"`{exercise.name}` is None: nothing has been assigned to it yet.")
    problem, given = exercise.read(value)
    if problem is not None:
        return fail(*problem)
    if exercise.is_right(given):
        return Passed([True])
    near = exercise.nearest(given)
    if near is None:
        return fail("values", exercise.in_per_cent(given) or exercise.far_miss(given))
    return Failed(
        Finding("values", exercise.near_miss),
        by_case=[False],
        named=[{exercise.label: str(near.value)}],
        diagnosis=[near.text],
    )


# Diagnosis


def matching(exercise: CodeExercise, cases, actuals, statuses) -> list[dict[str, str]]:
    """The smallest sets of known mistakes that agree with the learner's outputs on *all* cases.

    A case on which the learner's code raised agrees with a variant that cannot be computed there either.
    """
    answered = zip(actuals, statuses, strict=True)
    if any(actual is None and status != "raised" for actual, status in answered):
        return []  # no mistake on the list explains a case that gave nothing to compare
    found: list[dict[str, str]] = []
    for switches in exercise.combinations():
        if found and len(switches) > len(found[0]):
            break
        if all(
            _agrees(exercise, case, switches, actual) for case, actual in zip(cases, actuals, strict=True)
        ):
            found.append(switches)
    return found


def _explained_in_part(exercise: CodeExercise, cases, actuals) -> str:
    """The one mistake that gives exactly one of the learner's outputs on all cases, where there is one.

    Of many mistakes together that is often what can be told: attention weights show their own, whatever
    becomes of the context behind them.
    """
    if len(exercise.outputs) < 2 or any(actual is None for actual in actuals):
        return ""
    single = list(itertools.takewhile(lambda switches: len(switches) == 1, exercise.combinations()))
    for output in exercise.outputs:
        name = output.name
        rights = [exercise.expected(case)[name] for case in cases]
        answers = [actual[name] for actual in actuals]
        if all(close(exercise, right, given) for right, given in zip(rights, answers, strict=True)):
            continue
        found = [
            switches
            for switches in single
            if all(
                _gives(exercise, case, switches, name, given)
                for case, given in zip(cases, answers, strict=True)
            )
        ]
        if len(found) == 1:
            (text,) = exercise.explain(found[0])
            return f"Several mistakes come together. One of them shows in `{name}`: {text}"
    return ""


def _gives(exercise: CodeExercise, case: Case, switches, name: str, given: Any) -> bool:
    try:
        return close(exercise, exercise.expected(case, switches)[name], given)
    except Exception:
        return False


def _agrees(exercise: CodeExercise, case: Case, switches, actual) -> bool:
    """Whether the variant gives what the learner's code gave; ``actual`` is None where that raised."""
    try:
        wanted = exercise.expected(case, switches)
    except Exception:
        return actual is None
    if actual is None:
        return False
    return all(close(exercise, wanted[name], actual[name]) for name in wanted)


def _is_integer(dtype: torch.dtype) -> bool:
    return dtype != torch.bool and not dtype.is_floating_point and not dtype.is_complex
