"""Draws a cursor over a run: widgets that are handed plain records and emit wishes.

A view has setters (``set_run``, ``set_cursor``, ``set_theme``) that never emit, signals that are wishes
(``seek_requested``, ``layer_selected``), and says in words and numbers what it shows (``text_summary``,
``table``). Nothing here computes a pass, reads a file or changes a run. ``theme``, ``fonts`` and
``colormaps`` decide how everything looks; ``plot`` is the foundation of every diagram; ``export`` writes a
view to a file.
"""
