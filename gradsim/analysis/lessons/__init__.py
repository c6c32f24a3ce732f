"""Lessons as numbers: expressions on a pass, texts whose numbers are checked, and a walk without a window."""

from gradsim.analysis.lessons.check import (
    Claim,
    LessonReport,
    LessonSimulator,
    check_lesson,
    look_step,
)
from gradsim.analysis.lessons.expression import condition, expression
from gradsim.analysis.lessons.expression_tree import Condition, Expression, ExpressionError, Values
from gradsim.analysis.lessons.prediction import RelativeProfile, mean_distance, relative_profile
from gradsim.analysis.lessons.quantities import OF_LAYER, WHOLE, Quantities
from gradsim.analysis.lessons.syntax import check_syntax, step_texts
from gradsim.analysis.lessons.text import Block, Run, Value, blocks, rounds_to, unchecked_numbers, values_of

__all__ = [
    "OF_LAYER",
    "WHOLE",
    "Block",
    "Claim",
    "Condition",
    "Expression",
    "ExpressionError",
    "LessonReport",
    "LessonSimulator",
    "Quantities",
    "RelativeProfile",
    "Run",
    "Value",
    "Values",
    "blocks",
    "check_lesson",
    "check_syntax",
    "condition",
    "expression",
    "look_step",
    "mean_distance",
    "relative_profile",
    "rounds_to",
    "step_texts",
    "unchecked_numbers",
    "values_of",
]
