"""What goes wrong with an object store is said in a sentence, and loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from made_remotely import add, make
from s3_gate import SECRET, Gate

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import LatentDBError, StoreError, StoreIOError
from latentdb.store import Store
from latentdb.store.locate import locate
from latentdb.store.troubles import plain_words

Become = Callable[[str], Path]


@contextmanager
def refusing(code: str, status: int) -> Iterator[str]:
    """Address of a server that answers every request with one error."""
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()

    class Handler(BaseHTTPRequestHandler):
        def _refuse(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = _refuse  # noqa: N815 - names that http.server asks for

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    ).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("AccessDenied", 403, "access is denied; the key needs to list bucket 'b'"),
        ("InvalidAccessKeyId", 403, "the access key is not known at http://"),
        ("SignatureDoesNotMatch", 403, "the secret key does not belong to the access key"),
        ("NoSuchBucket", 404, "there is no bucket 'b' at http://"),
        ("ExpiredToken", 400, "the session has run out"),
        ("RequestTimeTooSkewed", 403, "the clock of this machine"),
    ],
)
def test_a_refusal_is_said_in_a_sentence_without_the_secret(
    gate: Gate, machine: Become, monkeypatch: pytest.MonkeyPatch, code: str, status: int, said: str
) -> None:
    machine("one")
    with refusing(code, status) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(StoreIOError, match=said) as raised:
            latentdb.open("s3://b/faces.ldb")
    assert SECRET not in str(raised.value)


def test_a_bucket_that_is_not_there_is_named(uri: str) -> None:
    with pytest.raises(StoreIOError, match=r"no bucket 'nowhere-17' .*aws s3 mb s3://nowhere-17"):
        latentdb.create("s3://nowhere-17/faces.ldb")


def test_no_credentials_says_how_to_set_them(
    uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreIOError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        latentdb.open(uri)


@pytest.mark.parametrize("scheme", ["gs", "az", "abfss"])
def test_stores_without_the_protocol_are_refused(scheme: str) -> None:
    with pytest.raises(StoreError, match=f"{scheme}:// is not supported: one writer at a time"):
        locate(f"{scheme}://bucket/faces.ldb")


@pytest.mark.parametrize("uri", ["s3://", "s3://bucket", "s3://key:secret@bucket/x.ldb"])
def test_an_address_that_names_no_database_shows_what_one_is(uri: str) -> None:
    with pytest.raises(StoreError, match="given as s3://BUCKET/NAME") as raised:
        locate(uri)
    assert "secret@" not in str(raised.value)


def test_a_server_that_goes_away_while_reading_is_said(uri: str, gate: Gate) -> None:
    store = make(uri, count=5).store
    gate.is_open = False
    with pytest.raises(StoreIOError, match="no answer from http://"):
        Store.open(uri)
    with pytest.raises(StoreIOError, match="no answer from http://"):
        store.vectors("narrow", [1])
    gate.is_open = True
    assert len(store.vectors("narrow", [1])) == 1


@pytest.mark.parametrize("requests", [3, 9, 15, 21])
def test_writes_that_are_cut_off_anywhere_are_run_again(
    uri: str, gate: Gate, requests: int
) -> None:
    db = make(uri, count=20)
    gate.shuts_after = requests
    with pytest.raises(LatentDBError, match=r"no answer from|was lost"):
        _add_fifty(db)
    gate.shuts_after, gate.is_open = None, True
    _free_lock(uri)
    again = latentdb.open(uri)
    _add_fifty(again)
    assert len(again) == 70
    assert again.check() == []


def _add_fifty(db: LatentDB) -> None:
    for start in range(100, 150, 10):
        add(db, range(start, start + 10))


def _free_lock(uri: str) -> None:
    """The half minute that the lock of who was cut off lasts is not waited for."""
    import boto3

    bucket, _, key = uri.removeprefix("s3://").partition("/")
    boto3.client("s3").delete_object(Bucket=bucket, Key=f"{key}/writer.lock")


def test_words_that_are_not_known_are_kept_without_lines_of_source() -> None:
    told = "lance error: something new, /root/.cargo/registry/src/x/lance-1.0/src/io.rs:848:36"
    words = plain_words(told, bucket="b", endpoint="http://e")
    assert words == "lance error: something new"
