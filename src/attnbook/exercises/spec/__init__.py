"""What an exercise is: data that the checks, the grader and the book's listing all read."""

from attnbook.exercises.spec.draw import Draw
from attnbook.exercises.spec.kinds import (
    DIFFICULTIES,
    Choice,
    CodeExercise,
    Exercise,
    Function,
    Measurement,
    Module,
    Prediction,
    Value,
)
from attnbook.exercises.spec.mistakes import Mistakes, Wrong
from attnbook.exercises.spec.parts import GROUPS, Case, Nearby, Output, Property
from attnbook.exercises.spec.validate import validate

__all__ = [
    "DIFFICULTIES",
    "GROUPS",
    "Case",
    "Choice",
    "CodeExercise",
    "Draw",
    "Exercise",
    "Function",
    "Measurement",
    "Mistakes",
    "Module",
    "Nearby",
    "Output",
    "Prediction",
    "Property",
    "Value",
    "Wrong",
    "validate",
]
