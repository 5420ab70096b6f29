"""Fixtures of the page."""

from browser import chromium, own_site, site, visit, zoo_db

__all__ = ["chromium", "own_site", "site", "visit", "zoo_db"]
