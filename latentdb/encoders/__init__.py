"""Encoders: pictures, and for some text, into embedding spaces; one model library per file."""
