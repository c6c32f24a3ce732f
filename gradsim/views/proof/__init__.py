"""Parts of the proof: how a check is drawn."""
