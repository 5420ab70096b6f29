"""What a server can be told: by arguments of `latentdb serve`, or by the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, final

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
    max_body_mib : float
        Larger bodies are refused with 413, whether they say their length or not.
    body_timeout_s : float
        A request whose body has not come by then is given up with 408.
    max_megapixels : float
        Of an uploaded picture, judged by its header.
    max_uploads : int
        Pictures in one upload.
    max_batch, max_waiting : int
        Questions that are answered together, and that may wait; one more is refused with 503.
    light, light_waiting : int
        Listings and pictures that are read at once, and that may wait.
    heavy, heavy_waiting : int
        Edits, interpolations, centroids and imagined pictures that are computed at once, and that
        may wait.
    cache_mib : float
        Memory for answers that were given already; 0 for none.
    runs_jobs : bool
        Whether this server runs the jobs that it is given, beside answering.
    """

    model_config = SettingsConfigDict(env_prefix="LATENTDB_SERVE_", frozen=True)

    database: str = ""
    device: str = "auto"
    keys: Path | None = None
    hosts: Annotated[tuple[str, ...], NoDecode] = LOOPBACK_NAMES
    max_body_mib: Annotated[float, Field(gt=0)] = 32.0
    body_timeout_s: Annotated[float, Field(gt=0)] = 30.0
    max_megapixels: Annotated[float, Field(gt=0)] = 50.0
    max_uploads: Annotated[int, Field(ge=1)] = 64
    max_batch: Annotated[int, Field(ge=1)] = 64
    max_waiting: Annotated[int, Field(ge=1)] = 1024
    light: Annotated[int, Field(ge=1)] = 4
    light_waiting: Annotated[int, Field(ge=0)] = 1024
    heavy: Annotated[int, Field(ge=1)] = 1
    heavy_waiting: Annotated[int, Field(ge=0)] = 8
    cache_mib: Annotated[float, Field(ge=0)] = 64.0
    runs_jobs: bool = True

    @field_validator("hosts", mode="before")
    @classmethod
    def _split(cls, hosts: object) -> object:
        """Names with commas between them, as a variable of the environment holds them."""
        return tuple(hosts.split(",")) if isinstance(hosts, str) else hosts

    @property
    def max_body_bytes(self) -> int:
        """`max_body_mib` in bytes."""
        return int(self.max_body_mib * 2**20)
