"""Long work: written down before it is promised, and done by a process of its own."""
