"""A real server, in a process group of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, final

import httpx


@final
class ServerProcess:
    """`latentdb serve`, with everything that it starts.

    Parameters
    ----------
    database : Path
    log : file
        Where it writes what it has to say.
    settings : str
        Of `LATENTDB_SERVE_<NAME>`, by name.
    """

    def __init__(self, database: Path, log: IO[bytes], **settings: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "api.cli", "serve", str(database), "--port", str(port)]
        told = {f"LATENTDB_SERVE_{name.upper()}": value for name, value in settings.items()}
        self._process = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env={**os.environ, **told}
        )

    def wait_until_up(self, seconds: float = 120.0) -> None:
        """Come back once it answers; RuntimeError where it does not."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._process.poll() is None:
            try:
                httpx.get(f"{self.url}/healthz", timeout=5)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError("the server does not answer; its log says why")

    def kill(self) -> None:
        """`kill -9` of the whole group: the server, its workers, the runner of its jobs."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
