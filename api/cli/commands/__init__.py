"""Command groups: one file each, a function for each command."""
