"""Inverters: pictures into the noise that regenerates them, and back; one method per file."""
