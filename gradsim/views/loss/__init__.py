"""What the plot of the loss is made of: its curves, its numbers and its words."""
