"""Who asks, and what they may: every route says which scope it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, final, get_args

from fastapi import Request
from fastapi.params import Depends as Dependency

Scope: TypeAlias = Literal["read", "write", "admin"]
# Each includes those before it.
SCOPES: tuple[Scope, ...] = get_args(Scope)


@final
@dataclass(frozen=True)
class Client:
    """Whoever sent a request.

    Parameters
    ----------
    name : str
        As logs call it; never a secret.
    scope : "read", "write" or "admin"
        The most it may do.
    """

    name: str
    scope: Scope

    def may(self, scope: Scope) -> bool:
        """Whether what needs `scope` is allowed."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


# Of a server without keys, which only this machine reaches.
ANYONE = Client("anyone", "admin")


def needs(scope: Scope) -> Dependency:
    """A dependency of routes that are only for clients of this scope or a higher one."""

    def check(request: Request) -> None:
        request.state.scope_needed = scope

    check.__name__ = f"needs_{scope}"
    return Dependency(check)
