"""What the view of singular values is made of: its panels, its words, its numbers."""
