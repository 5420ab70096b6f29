"""The HTTP server and the page: `serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.options import DatabaseFolder, Device
from api.cli.output import note
from api.cli.session import folder_of
from latentdb.loopback import is_loopback

if TYPE_CHECKING:
    from api.settings import ServerSettings

_WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - what is bound to needs keys

Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="FILE",
        envvar="LATENTDB_SERVE_KEYS",
        help="File of `latentdb keys`: who is let in. Without it: this machine alone.",
    ),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="A name it goes by, such as a proxy's."),
]
TrustProxy = Annotated[
    list[str] | None,
    typer.Option("--trust-proxy", metavar="ADDRESS", help="Whose X-Forwarded-* is believed."),
]
LogFormat = Annotated[
    str,
    typer.Option(
        "--log-format",
        metavar="FORM",
        envvar="LATENTDB_SERVE_LOG_FORMAT",
        help="Of a line a request: text or json.",
    ),
]


Workers = Annotated[
    int, typer.Option("--workers", metavar="N", min=1, help="Processes that serve together.")
]


def serve(  # noqa: PLR0913 - one option each
    db: DatabaseFolder = None,
    *,
    host: Annotated[str, typer.Option(metavar="H", help="Address to bind.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="P", min=0, max=65535, help="TCP port.")] = 8000,
    device: Device = "auto",
    keys: Keys = None,
    allow_host: AllowHost = None,
    trust_proxy: TrustProxy = None,
    log_format: LogFormat = "text",
    workers: Workers = 1,
) -> None:
    """Serve the JSON API and the page: to this machine, and with --keys to others."""
    require_closed(host, keys, allow_host or ())
    try:
        from api.http.serving import FACTORY, GRACE_S, share_cores, shared_by_workers

        share_cores(workers)
        import uvicorn

        from api.http.app import create_app
        from api.http.logs import configure_logs
        from api.http.protocol import uvicorn_options
    except ImportError as error:
        raise typer.BadParameter(
            f"the server is not installed ({error.name}): pip install 'latentdb[cpu,serve]'"
        ) from error
    settings = settings_of(
        database=folder_of(db),
        device=device,
        keys=keys,
        hosts=names_of(host, keys, allow_host or ()),
        trusted_proxies=tuple(trust_proxy or ()),
        workers=workers,
        log_format=log_format,
    )
    app = create_app(settings=settings)
    shown = f"[{host}]" if ":" in host else host
    note(f"serving at http://{shown}:{port} - stop with Ctrl-C")
    configure_logs(settings.log_format)
    options: dict[str, Any] = {"host": host, "port": port, "timeout_graceful_shutdown": GRACE_S}
    options |= uvicorn_options(settings)
    if workers == 1:
        uvicorn.run(app, **options)
        return
    with shared_by_workers(settings):
        uvicorn.run(FACTORY, factory=True, workers=workers, **options)


def require_closed(host: str, keys: Path | None, names: list[str] | tuple[str, ...]) -> None:
    """BadParameter where others could reach a server that lets everybody in."""
    if keys is not None:
        from api.http.keys import KeyFile

        if not any(key.is_valid() for key in KeyFile(keys).read().keys):
            raise typer.BadParameter(
                f"--keys {keys} holds no valid key, so nobody could be let in: "
                f"latentdb keys add NAME --scope read --keys {keys}"
            )
        return
    reachable = [f"--host {host}"] if not is_loopback(host) else []
    reachable += [f"--allow-host {name}" for name in names if not is_loopback(name)]
    if reachable:
        raise typer.BadParameter(
            f"{reachable[0]} is not loopback alone: others would be let in, and without keys they "
            "may do everything. Make one with `latentdb keys add NAME --scope read --keys "
            "keys.json`, then serve with --keys keys.json"
        )


def names_of(host: str, keys: Path | None, names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Host names that are answered.

    A page that has its own name point here would come with that name; but it has no key. So a
    server with keys that binds every address answers to every name, unless some are given.
    """
    if names or keys is None or host not in _WILDCARDS:
        return ("127.0.0.1", "localhost", "::1", host, *(name.lower() for name in names))
    return ("*",)


def settings_of(**given: Any) -> ServerSettings:
    """The settings, with what the environment says of those not given; BadParameter if wrong."""
    from pydantic import ValidationError

    from api.settings import ServerSettings

    try:
        return ServerSettings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = "-".join(str(part) for part in first["loc"]).replace("_", "-")
        raise typer.BadParameter(f"{name}: {first['msg']}") from error
