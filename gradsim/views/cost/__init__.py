"""What the view of the cost is made of: its panels and its numbers."""
