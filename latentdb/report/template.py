"""The templates of pages, which share their style."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def render_template(name: str, **values: object) -> str:
    """HTML of the template `name` of this package; texts are escaped, and none may be missing."""
    loader = PackageLoader("latentdb", "report")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    return environment.get_template(name).render(**values)
