"""What is missing or wrong in an exercise, in sentences for its author."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator

import torch

from attnbook.exercises.spec.kinds import DIFFICULTIES, Choice, CodeExercise, Exercise, Module, Value
from attnbook.exercises.spec.mistakes import Mistakes, Wrong
from attnbook.exercises.spec.parts import GROUPS, OUTPUT_KINDS, Case
from attnbook.worker import values

SEEDS = (0, 1, 2)
ENDS = (".", "?", "!", "…", "`")  # of a sentence; the last one of code at its end


def validate(spec: Exercise, seeds: Iterable[int] = SEEDS) -> list[str]:
    """Sentences, each naming the exercise, the field and the remedy; an empty list when nothing is wrong.

    Parameters
    ----------
    spec : Exercise
    seeds : iterable of int
        On the inputs of which the reference is tried.
    """
    problems = [*_words(spec), *_numbers(spec)]
    if isinstance(spec, CodeExercise):
        problems += [*_signature(spec), *_mistakes(spec)]
        if not problems:  # the inputs can be tried only with a spec that holds together
            problems += _inputs(spec, seeds)
    elif isinstance(spec, Value):
        problems += _value(spec)
    return [f"{spec.id}: {problem}" for problem in problems]


def _words(spec: Exercise) -> Iterator[str]:
    if not re.fullmatch(r"\d{1,2}\.\d{1,2}", spec.id):
        yield f'id: "{spec.id}" is not chapter.number, as in "2.4".'
    if not spec.title.strip():
        yield "title: it is empty; write a few words."
    if not spec.name.isidentifier():
        yield f'signature: "{spec.signature}" does not begin with the name that the learner defines.'
    if not spec.hints:
        yield "hints: there is none; write at least one."
    for number, hint in enumerate(spec.hints, start=1):
        if not hint.strip():
            yield f"hints: number {number} is empty."
    if spec.difficulty not in DIFFICULTIES:
        yield f'difficulty: "{spec.difficulty}" is none of {", ".join(DIFFICULTIES)}.'


def _numbers(spec: Exercise) -> Iterator[str]:
    for field in ("points", "minutes"):
        given = getattr(spec, field)
        if type(given) is not int or given < 1:
            yield f"{field}: a whole number of at least 1 was expected, got {given!r}."
    if not spec.time_limit > 0:
        yield f"time_limit: seconds above 0 were expected, got {spec.time_limit!r}."


def _taken(spec: CodeExercise) -> list[str]:
    """The reference's parameters but the switches of mistakes; a module's begin with its state."""
    return [
        name
        for name, parameter in inspect.signature(spec.reference).parameters.items()
        if parameter.kind is not parameter.KEYWORD_ONLY
    ]


def _signature(spec: CodeExercise) -> Iterator[str]:
    """The learner's parameters are the reference's; a module's are those of its constructor."""
    try:
        (stub,) = ast.parse(f"def {spec.signature}: pass").body
        asked = [argument.arg for argument in stub.args.args]
    except (SyntaxError, ValueError):
        yield f'signature: "{spec.signature}" cannot be called; write it as "{spec.name}(x, mask)".'
        return
    taken = _taken(spec)
    if isinstance(spec, Module):
        if not taken:
            yield "reference: a module's reference takes the state first, then what forward takes."
    elif asked != taken:
        yield f"signature: it has the parameters ({', '.join(asked)}), the reference ({', '.join(taken)})."


def _mistakes(spec: CodeExercise) -> Iterator[str]:
    switches = [family.switch for family in spec.mistakes]
    for switch in sorted({switch for switch in switches if switches.count(switch) > 1}):
        yield f'mistakes: two families have the switch "{switch}"; give one another name with under().'
    parameters = inspect.signature(spec.reference).parameters
    for family in spec.mistakes:
        yield from _family(family, parameters.get(family.switch))
    if spec.together is not None and not 1 <= spec.together <= len(spec.mistakes):
        yield f"together: from 1 to the number of families, {len(spec.mistakes)}; got {spec.together}."
    known = [*spec.mistakes, *(wrong for family in spec.mistakes for wrong in family.wrongs.values())]
    for entry in spec.meaningless:
        for part in entry:
            if not any(part is one for one in known):
                yield f"meaningless: {_named(part)} is none of this exercise's mistakes."
    if len(set(switches)) == len(switches):
        tried = {item for switches in spec.combinations() for item in switches.items()}
        for family in spec.mistakes:
            for name in family.wrongs:
                if (family.switch, name) not in tried:
                    where = f'"{family.switch}", "{name}"'
                    yield f"mistakes: {where} is in no combination; look at meaningless and possible."


def _family(family: Mistakes, parameter: inspect.Parameter | None) -> Iterator[str]:
    if parameter is None or parameter.kind is not parameter.KEYWORD_ONLY:
        yield f'mistakes: the reference takes no keyword "{family.switch}"; put it after a * there.'
    elif parameter.default is not family.right:
        yield f'mistakes: the default of the keyword "{family.switch}" should be the family\'s `right`.'
    if not family.wrongs:
        yield f'mistakes: the family "{family.switch}" holds no mistake.'
    for name, wrong in family.wrongs.items():
        if wrong.code is family.right:
            yield f'mistakes: "{family.switch}", "{name}" has the right code; write what goes wrong.'
        if not wrong.text.strip().endswith(ENDS):
            yield f'mistakes: "{family.switch}", "{name}" has no whole sentence as its text.'


def _named(part: Mistakes | Wrong) -> str:
    return repr(part) if isinstance(part, Mistakes) else f'the mistake "{part.text[:40]}…"'


def _inputs(spec: CodeExercise, seeds: Iterable[int]) -> Iterator[str]:
    for output in spec.outputs:
        if output.kind not in OUTPUT_KINDS:
            yield f'outputs: the kind "{output.kind}" of {output.name} is none of {", ".join(OUTPUT_KINDS)}.'
            return
    if not spec.outputs:
        yield "outputs: there is none; name what is returned."
        return
    for seed in seeds:
        try:
            cases, again = spec.make_cases(seed), spec.make_cases(seed)
        except Exception as error:
            yield f"cases: seed {seed} raises {type(error).__name__}: {error}."
            return
        if not cases:
            yield "cases: there is none."
            return
        if cases[0].group != "plain":
            yield f'cases: the first should be of the group "plain", and is "{cases[0].group}" (seed {seed}).'
        for number, (case, other) in enumerate(zip(cases, again, strict=True), start=1):
            problem = _case(spec, case, other)
            if problem:
                yield f"{problem} (Case {number} of seed {seed}.)"
                return


def _case(spec: CodeExercise, case: Case, again: Case) -> str:
    """What is wrong with one input, or an empty string."""
    if case.group not in GROUPS:
        return f'cases: the group "{case.group}" is none of {", ".join(GROUPS)}.'
    taken = _taken(spec)[isinstance(spec, Module) :]
    if list(case.args) != taken:
        return f"cases: the arguments are ({', '.join(case.args)}), the reference's ({', '.join(taken)})."
    if isinstance(spec, Module) and (case.init is None or case.state is None or case.cotangents is None):
        return "cases: a module's case needs init, state and cotangents."
    if not values.same(spec.request(case), spec.request(again)):
        return "cases: the same seed gives other inputs the second time; draw everything from `draw`."
    try:
        found = spec.expected(case)
    except Exception as error:
        return f"reference: it raises {type(error).__name__}: {error}."
    for output in spec.outputs:
        value = found[output.name]
        if output.kind != "tensor":
            continue
        if not isinstance(value, torch.Tensor):
            return f"reference: {output.name} should be a tensor and is {type(value).__name__}."
        if value.dim() != len(output.dims):
            return f"outputs: {output.name} has {value.dim()} dimensions, and {len(output.dims)} are named."
        # A square matrix names its two dimensions alike: then a swap is a transposition, and values tell it.
        sizes = dict(zip(output.dims, value.shape, strict=True))
        if len(set(sizes.values())) < len(sizes):
            return (
                f"cases: two dimensions of {output.name} have one size, {tuple(value.shape)}: a swap hides."
            )
    for prop in spec.properties:
        if not prop.holds(case.args, found):
            return f'properties: "{prop.text}" does not hold for the reference.'
    return ""


def _value(spec: Value) -> Iterator[str]:
    try:
        right = spec.reference()
    except Exception as error:
        yield f"reference: it raises {type(error).__name__}: {error}."
        return
    problem, _ = spec.read(right)
    if problem is not None:
        yield f"reference: {problem[1]}"
        return
    seen = [right]
    for near in spec.nearby:
        if not near.text.strip().endswith(ENDS):
            yield f"nearby: {near.value!r} has no whole sentence as its text."
        if isinstance(spec, Choice):
            if near.value in seen:
                yield f'nearby: "{near.value}" is the right option, or stands twice.'
            seen.append(near.value)
        elif spec.is_right(near.value):
            yield f"nearby: {near.value!r} counts as right; the tolerance is {spec.tolerance:g}."
