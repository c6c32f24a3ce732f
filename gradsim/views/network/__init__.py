"""The parts of the network view: what it shows and where (without Qt), and how that is painted."""
