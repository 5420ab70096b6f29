"""A hub on this machine: it speaks as much of the protocol as downloading takes, and refuses."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def hub(repositories: dict[str, Path]) -> Iterator[str]:
    """Address of a hub with those folders, by id.

    Of any other repository called `*/gated` it shows the list of files and keeps the files; it
    knows none called `*/unknown`, is out of order for `*/broken`, and knows only one revision.
    """

    class Handler(_Handler):
        folders = repositories

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    folders: dict[str, Path]

    def log_message(self, *args: Any) -> None:
        """Keep the tests' output clean."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        is_api = parts[:2] == ["api", "models"]
        owner, name, *rest = parts[2:] if is_api else parts
        if name == "unknown":
            self._refuse(404, "RepoNotFound")
        elif name == "broken":
            self._refuse(500, "")
        elif len(rest) > 1 and rest[1] not in ("main", COMMIT):
            self._refuse(404, "RevisionNotFound")
        elif is_api:
            self._list(f"{owner}/{name}", rest[0])
        elif name == "gated":
            self._refuse(403, "GatedRepo")
        else:
            self._file(self.folders[f"{owner}/{name}"].joinpath(*rest[2:]))

    def _list(self, repo: str, kind: str) -> None:
        folder = self.folders.get(repo)
        paths = sorted(p for p in folder.rglob("*") if p.is_file()) if folder else []
        names = {str(p.relative_to(folder)): p.read_bytes() for p in paths} if folder else {}
        names = names or {"model_index.json": b"{}"}
        if kind == "tree":
            files = [
                {"type": "file", "path": path, "size": len(data), "oid": _hash(data)}
                for path, data in names.items()
            ]
            self._send(json.dumps(files).encode())
        else:
            siblings = [{"rfilename": path} for path in names]
            self._send(json.dumps({"id": repo, "sha": COMMIT, "siblings": siblings}).encode())

    def _file(self, path: Path) -> None:
        if path.is_file():
            data = path.read_bytes()
            self._send(data, {"X-Repo-Commit": COMMIT, "ETag": f'"{_hash(data)}"'})
        else:
            self._refuse(404, "EntryNotFound")

    def _send(self, data: bytes, headers: dict[str, str] | None = None, status: int = 200) -> None:
        self.send_response(status)
        for key, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def _refuse(self, status: int, code: str) -> None:
        self._send(b"", {"X-Error-Code": code, "X-Error-Message": f"refused: {code}"}, status)


def _hash(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()
