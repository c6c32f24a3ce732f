"""Where an experiment is put together: forms generated from the spec, and the tree of layers.

``edits`` and ``adaptation`` are pure functions from experiment to experiment; the widgets only call them and say
what they wish.
"""
