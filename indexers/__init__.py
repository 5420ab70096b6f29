"""Nearest neighbours of latent vectors: metrics, indexes, safe files (NumPy, SciPy, FAISS)."""
