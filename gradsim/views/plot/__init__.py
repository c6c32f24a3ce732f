"""The foundation of every diagram: numbers as words, axes, marks, panels and the widget that shows them.

Painted by QPainter straight from the numbers. A plotting library that drops 0, NaN and ∞ on a log axis, or
whose export differs from its screen, would hide what GradSim exists to show; and its import alone would take
as long as the first frame may. One function paints the screen, PNG, SVG and PDF.
"""
