"""Diffusion models in diffusers' folder layout: one concept or family of networks per file."""
