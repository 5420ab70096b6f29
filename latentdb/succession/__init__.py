"""Which space takes the place of which: the records, their file, and who answers meanwhile."""
