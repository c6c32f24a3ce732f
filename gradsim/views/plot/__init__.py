"""The foundation of every diagram: numbers as words, axes, marks, panels, and the surfaces that show them.

On the screen a view is a scene of pyqtgraph (``canvas``): one plot per panel (``panel_item``), whose view box
(``panel_box``) owns the ranges and whose axes (``tick_axis``) follow it. A figure for a file is painted by QPainter
(``panel.paint_panel``), vector as it is. Both paint the same axes (``axes``) and the same marks (``marks``,
``points``, ``heat``) at the same places (``panel.laid_out``), so that what is on the screen is what is exported.

The marks paint themselves rather than being items of pyqtgraph: its log mode drops 0, NaN and ∞, which GradSim
exists to show, and a picture scaled down by it loses the one column that is NaN. Values are log10 already.
pyqtgraph is imported by the four modules of the screen only, and those when there is a run to plot.
"""
