"""The parts of the inspector: words, formulas with their numbers filled in, and tables of statistics."""
