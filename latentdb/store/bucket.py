"""Objects of a database in an object store: the only file that knows boto3 and its errors.

The protocol is S3's. Two of its promises carry everything that is written here: a single object is
replaced whole or not at all, and a write can be made to depend on what is there (`If-None-Match`,
`If-Match`), of which the server lets exactly one of several through.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, final
from urllib.parse import urlsplit

from latentdb.errors import StoreError, StoreIOError
from latentdb.store.troubles import plain_words

ABSENT: Final = "*"
"""Expected of an object that must not be there yet."""

_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_ATTEMPTS = 4
# A part of a large file; 10,000 of them are the most that one object may have.
_PART_BYTES = 64 * 2**20
_UNMET = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})


@final
@dataclass(frozen=True)
class Stored:
    """A small object as it was found.

    Attributes
    ----------
    content : bytes
    etag : str
        Changes with the content.
    modified, asked : datetime
        When it was written and when this was answered, both by the server's clock.
    """

    content: bytes
    etag: str
    modified: datetime
    asked: datetime


class Listed(NamedTuple):
    """An object as a listing tells of it; `modified` by the server's clock."""

    key: str
    size: int
    etag: str
    modified: datetime


@final
class Bucket:
    """The objects below one prefix of a bucket; safe for several threads.

    Credentials, region and endpoint are those that the AWS SDKs find: in the environment, in
    `~/.aws`, or from the machine. Requests that fail for a passing reason are sent again.

    Parameters
    ----------
    name : str
        Of the bucket.
    prefix : str
        Of the keys, without a slash at its end.
    """

    def __init__(self, name: str, prefix: str) -> None:
        self.name = name
        self._prefix = prefix
        self._client = _client()
        parts = urlsplit(str(self._client.meta.endpoint_url))
        self.endpoint = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self.region = str(self._client.meta.region_name)
        self.is_aws = _is_aws(self._client)

    def get(self, key: str) -> Stored | None:
        """A small object; None where there is none."""
        with self._reading(key):
            answer = self._asked("get_object", key)
            if answer is None:
                return None
            return self._stored(answer, answer["Body"].read())

    def get_unless(self, key: str, known: Stored) -> Stored | None:
        """The object as it is now: the one `known` where it has not changed; None without one."""
        with self._reading(key):
            answer = self._asked("get_object", key, IfNoneMatch=known.etag)
            if answer is None or answer.get("unchanged"):
                return None if answer is None else known
            return self._stored(answer, answer["Body"].read())

    def put(self, key: str, content: bytes, *, expected: str | None = None) -> str | None:
        """Write a small object; its new ETag.

        Parameters
        ----------
        key : str
        content : bytes
        expected : str, optional
            ETag of what must be there, or `ABSENT`.

        Returns
        -------
        str or None
            None where something else is there: nothing was written.
        """
        condition = {} if expected is None else {"IfMatch": expected}
        if expected == ABSENT:
            condition = {"IfNoneMatch": ABSENT}
        with self._reading(key):
            answer = self._asked(
                "put_object", key, Body=content, ContentMD5=_md5(content), **condition
            )
            return None if answer is None or answer.get("unmet") else str(answer["ETag"])

    def delete(self, key: str) -> None:
        """Delete an object; one that is gone already is passed over."""
        with self._reading(key):
            self._asked("delete_object", key)

    def upload(self, key: str, path: Path) -> None:
        """Write a file as an object; the server checks each part, and its size is checked here.

        Raises
        ------
        StoreIOError
            It could not be written whole.
        """
        size = path.stat().st_size
        with self._reading(key):
            if size <= _PART_BYTES:
                content = path.read_bytes()
                self._asked("put_object", key, Body=content, ContentMD5=_md5(content))
            else:
                self._upload_parts(key, path)
            there = self._asked("head_object", key)
        if there is None or int(there["ContentLength"]) != size:
            found = "nothing" if there is None else f"{there['ContentLength']} bytes"
            raise StoreIOError(
                f"wrote {size} bytes to {self._named(key)}, found {found}; try again"
            )

    def _upload_parts(self, key: str, path: Path) -> None:
        upload = self._asked("create_multipart_upload", key) or {}
        name = {"UploadId": upload["UploadId"]}
        try:
            parts: list[dict[str, Any]] = []
            with path.open("rb") as file:
                while block := file.read(_PART_BYTES):
                    number = len(parts) + 1
                    part = self._asked(
                        "upload_part",
                        key,
                        PartNumber=number,
                        Body=block,
                        ContentMD5=_md5(block),
                        **name,
                    )
                    parts.append({"PartNumber": number, "ETag": (part or {})["ETag"]})
            self._asked("complete_multipart_upload", key, MultipartUpload={"Parts": parts}, **name)
        except BaseException:
            # Parts of an upload that never ends are charged for.
            self._asked("abort_multipart_upload", key, **name)
            raise

    def blocks(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        """Content of an object, a block at a time.

        FileNotFoundError where there is none, or another one than that of the ETag.
        """
        condition = {} if etag is None else {"IfMatch": etag}
        with self._reading(key):
            answer = self._asked("get_object", key, **condition)
            if answer is None or answer.get("unmet"):
                raise FileNotFoundError(self._named(key))
            yield from answer["Body"].iter_chunks(2**20)

    def list(self, below: str = "") -> Iterator[Listed]:
        """The objects whose keys begin with `below`."""
        start = f"{self._prefix}/"
        with self._reading(below):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.name, Prefix=start + below):
                for found in page.get("Contents", ()):
                    key = str(found["Key"]).removeprefix(start)
                    yield Listed(key, int(found["Size"]), str(found["ETag"]), found["LastModified"])

    def tops(self) -> set[str]:
        """First parts of all keys."""
        start = f"{self._prefix}/"
        found: set[str] = set()
        with self._reading(""):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.name, Prefix=start, Delimiter="/"):
                keys = [one["Key"] for one in page.get("Contents", ())]
                keys += [one["Prefix"] for one in page.get("CommonPrefixes", ())]
                found.update(str(key).removeprefix(start).rstrip("/") for key in keys)
        return found

    def _asked(self, operation: str, key: str, **options: Any) -> dict[str, Any] | None:
        """One request; None where there is no such object, "unmet" or "unchanged" as it came."""
        from botocore.exceptions import ClientError

        call = getattr(self._client, operation)
        try:
            answer: dict[str, Any] = call(Bucket=self.name, Key=f"{self._prefix}/{key}", **options)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            if code in _MISSING:
                return None
            if code in _UNMET and operation in ("put_object", "get_object"):
                return {"unmet": True}
            if code in ("304", "NotModified"):
                return {"unchanged": True}
            raise
        return answer

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        """Turn what boto3 raises into StoreIOError, in plain words."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, ClientError) as error:
            words = plain_words(str(error), bucket=self.name, endpoint=self.endpoint)
            raise StoreIOError(f"{self._named(key)}: {words}") from error

    def _named(self, key: str) -> str:
        return f"s3://{self.name}/{self._prefix}/{key}".rstrip("/")

    def _stored(self, answer: dict[str, Any], content: bytes) -> Stored:
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        if "date" not in headers:
            raise StoreIOError(f"{self.endpoint} sends no Date, by which a writer's lock ends")
        asked = parsedate_to_datetime(headers["date"])
        return Stored(content, str(answer["ETag"]), answer["LastModified"], asked)


def etag_of(path: Path) -> str:
    """The ETag of the object that `Bucket.upload` makes of a file, of most servers.

    One that encrypts by keys of its own gives others: equal ones alone tell something.
    """
    with path.open("rb") as file:
        parts = [_digest(block) for block in iter(lambda: file.read(_PART_BYTES), b"")]
    if len(parts) > 1:
        return f'"{_digest(b"".join(parts)).hex()}-{len(parts)}"'
    return f'"{(parts[0] if parts else _digest(b"")).hex()}"'


def _md5(content: bytes) -> str:
    """As the server checks it, whatever else it knows."""
    return base64.b64encode(_digest(content)).decode()


def _digest(content: bytes) -> bytes:
    """MD5, on which no secret hangs."""
    return hashlib.md5(content, usedforsecurity=False).digest()


def _client() -> Any:
    try:
        from boto3.session import Session
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise StoreError(
            "databases in an object store need boto3: pip install 'latentdb[s3]'"
        ) from error
    usual = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        # Others than AWS know no other checksum than Content-MD5, which is always sent.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        session = Session()
        region = session.region_name or "us-east-1"
        client = session.client("s3", region_name=region, config=usual)
        if _is_aws(client):
            return client
        # A server of one's own rarely has a name per bucket.
        by_path = usual.merge(Config(s3={"addressing_style": "path"}))
        return session.client("s3", region_name=region, config=by_path)
    except (BotoCoreError, ValueError) as error:
        raise StoreError(f"the settings for the object store cannot be used: {error}") from error


def _is_aws(client: Any) -> bool:
    host = urlsplit(str(client.meta.endpoint_url)).hostname or ""
    return host.endswith(("amazonaws.com", "amazonaws.com.cn"))
