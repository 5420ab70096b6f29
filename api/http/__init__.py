"""The HTTP server: a FastAPI app over one database."""
