"""What a server can be told: by arguments of `latentdb serve`, or by the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, final

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


@final
class ServerSettings(BaseSettings):
    """Settings of one server; each is also read from `LATENTDB_SERVE_<NAME>`.

    Worker processes are started with them in their environment, so that there is one way in.

    Attributes
    ----------
    database : str
        The folder of the database.
    device : str
        Where models run.
    keys : Path or None
        File of API keys; without one whoever reaches the server may do everything, which is why
        `serve` then binds to loopback only.
    hosts : tuple of str
        Values of the Host header that are answered, "*" for any. A page of another site that has
        its name point at this machine comes with that name.
    trusted_proxies : tuple of str
        Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed.
    workers : int
        Processes that serve together; each counts its share of what a key may ask a minute.
    session_hours : float
        How long a log-in of the page lasts.
    max_failures : int
        Wrong keys a minute from one address, beyond which its log-ins are answered with 429.
    max_body_mib : float
        Larger bodies are refused with 413, whether they say their length or not.
    header_timeout_s : float
        A connection that has not sent the whole head of a request by then is closed.
    body_timeout_s : float
        A request whose body has not come by then is given up with 408; each 64 KiB that came put
        it off by a second.
    max_head_kib : float
        Of the line and the headers of a request; more is refused with 431.
    max_connections : int
        Open at once in a worker process; one more is refused with 503.
    max_streams : int
        Streams of a job's progress that are open at once, a quarter of them for one client.
    max_megapixels : float
        Of an uploaded picture, judged by its header.
    max_uploads : int
        Pictures in one upload.
    max_jobs : int
        Jobs that may wait; one more is refused with 503.
    max_batch, max_waiting : int
        Questions that are answered together, and that may wait; one more is refused with 503.
    light, light_waiting : int
        Listings and pictures that are read at once, and that may wait.
    heavy, heavy_waiting : int
        Edits, interpolations, centroids and imagined pictures that are computed at once, and that
        may wait.
    cache_mib : float
        Memory for answers that were given already; 0 for none.
    refresh_share : float
        Share of its rows that an index may be behind by, and at least 1,000 rows, before the
        server refreshes it; 0 for never.
    runs_jobs : bool
        Whether this server runs the jobs that it is given, beside answering.
    log_format : "text" or "json"
        Of the line that is logged for each request.
    """

    model_config = SettingsConfigDict(env_prefix="LATENTDB_SERVE_", frozen=True)

    database: str = ""
    device: str = "auto"
    keys: Path | None = None
    hosts: Annotated[tuple[str, ...], NoDecode] = LOOPBACK_NAMES
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    workers: Annotated[int, Field(ge=1)] = 1
    session_hours: Annotated[float, Field(gt=0)] = 12.0
    max_failures: Annotated[int, Field(ge=1)] = 20
    max_body_mib: Annotated[float, Field(gt=0)] = 32.0
    header_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    body_timeout_s: Annotated[float, Field(gt=0)] = 30.0
    max_head_kib: Annotated[float, Field(gt=0)] = 64.0
    max_connections: Annotated[int, Field(ge=1)] = 2048
    max_streams: Annotated[int, Field(ge=4)] = 128
    max_megapixels: Annotated[float, Field(gt=0)] = 50.0
    max_uploads: Annotated[int, Field(ge=1)] = 64
    max_jobs: Annotated[int, Field(ge=1)] = 1000
    max_batch: Annotated[int, Field(ge=1)] = 64
    max_waiting: Annotated[int, Field(ge=1)] = 1024
    light: Annotated[int, Field(ge=1)] = 4
    light_waiting: Annotated[int, Field(ge=0)] = 1024
    heavy: Annotated[int, Field(ge=1)] = 1
    heavy_waiting: Annotated[int, Field(ge=0)] = 8
    cache_mib: Annotated[float, Field(ge=0)] = 64.0
    refresh_share: Annotated[float, Field(ge=0)] = 0.1
    runs_jobs: bool = True
    log_format: Literal["text", "json"] = "text"

    @field_validator("hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, names: object) -> object:
        """Names with commas between them, as a variable of the environment holds them."""
        return tuple(filter(None, names.split(","))) if isinstance(names, str) else names

    @property
    def max_body_bytes(self) -> int:
        """`max_body_mib` in bytes."""
        return int(self.max_body_mib * 2**20)
