"""Facts about the tree itself: sizes, imports, the public namespace."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import latentdb

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path
    for folder in ("indexers", "latentdb", "api", "tests", "benchmarks", "examples")
    for path in (ROOT / folder).rglob("*.py")
)
LIBRARY = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in {"indexers", "latentdb"}]
HEAVY = ("torch", "diffusers", "open_clip", "timm", "transformers", "lancedb", "fastapi", "faiss")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def _loaded_by(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after `statement`."""
    code = (
        f"{statement}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines()[-1].split())


def test_importing_latentdb_loads_no_heavy_library() -> None:
    assert _loaded_by("import latentdb").isdisjoint(HEAVY)


def test_importing_the_indexers_loads_no_torch() -> None:
    assert "torch" not in _loaded_by("import indexers.metric, indexers.flat, indexers.hnsw")


def test_importing_the_command_line_loads_no_heavy_library() -> None:
    assert _loaded_by("import api.cli.main").isdisjoint(HEAVY)


def test_the_public_namespace_is_what_it_says() -> None:
    public = {name for name in vars(latentdb) if not name.startswith("_")}
    modules = {path.stem for path in (ROOT / "latentdb").iterdir()}
    assert set(latentdb.__all__) == {"__version__", "connect", "create", "open", "restore"}
    assert public - modules <= {
        "connect",
        "create",
        "open",
        "restore",
        "annotations",
        "Sequence",
        "Path",
        "TYPE_CHECKING",
    }


@pytest.mark.parametrize(
    ("library", "files"),
    [
        ("lancedb", "latentdb/store/"),
        ("boto3", "latentdb/store/bucket.py"),
        ("duckdb", "latentdb/filters.py"),
        ("open_clip", "latentdb/encoders/open_clip.py"),
        ("timm", "latentdb/encoders/timm.py"),
        ("faiss", "indexers/"),
        ("httpx", "latentdb/client/transport.py"),
        ("ray", "latentdb/cluster/ray_library.py"),
    ],
)
def test_a_heavy_library_is_known_in_one_place(library: str, files: str) -> None:
    knowing = {
        str(path.relative_to(ROOT))
        for path in LIBRARY
        if library in _imports(path) and "zoo" not in path.parts
    }
    assert knowing
    assert all(name.startswith(files) for name in knowing), knowing


@cache
def _imports(path: Path) -> frozenset[str]:
    """Top-level packages that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return frozenset(found)
