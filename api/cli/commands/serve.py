"""The HTTP server and the page: `serve`."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer

from api.cli.options import Database, Device
from api.cli.output import note
from api.cli.session import open_database


def serve(
    db: Database = None,
    *,
    host: Annotated[str, typer.Option(metavar="H", help="Loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="P", min=0, max=65535, help="TCP port.")] = 8000,
    device: Device = "auto",
) -> None:
    """Serve the JSON API and a search page, to this machine alone."""
    if not is_loopback(host):
        raise typer.BadParameter(
            f"--host {host} would let other machines in, and this server has no keys yet: it binds "
            "to loopback only (127.0.0.1, ::1, localhost). Put a proxy that authenticates in front"
        )
    try:
        import uvicorn

        from api.http.app import create_app
    except ImportError as error:
        raise typer.BadParameter(
            f"the server is not installed ({error.name}): pip install 'latentdb[cpu,serve]'"
        ) from error
    app = create_app(open_database(db, device=device))
    shown = f"[{host}]" if ":" in host else host
    note(f"serving at http://{shown}:{port} - stop with Ctrl-C")
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
