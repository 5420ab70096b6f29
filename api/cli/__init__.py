"""The `latentdb` command."""
