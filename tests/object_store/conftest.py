"""An object store on this machine: moto's server program, with a door before it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from s3_gate import SECRET, Gate, gate_before


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of a server that speaks S3; it forgets everything when it ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def gate(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """The door that this process is told to be the object store."""
    with gate_before(s3_server) as door:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": door.address,
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        yield door


@pytest.fixture
def uri(gate: Gate, machine: Callable[[str], Path]) -> str:
    """Address of a database that is not there yet, in a bucket of its own, as machine "one"."""
    import boto3

    machine("one")
    bucket = f"pictures-{uuid.uuid4().hex[:8]}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    return f"s3://{bucket}/all/faces.ldb"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Be another machine from now on: one with a cache of its own, which is returned."""

    def become(name: str) -> Path:
        cache = tmp_path / name
        monkeypatch.setenv("LATENTDB_CACHE", str(cache))
        return cache

    return become
