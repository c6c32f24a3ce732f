"""Parts of the diagnosis panel: one finding with its remedies, tables of rules, and their words."""
