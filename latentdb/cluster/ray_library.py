"""Ray: the only file that knows its names, its errors and its quirks.

- What a task or actor raises comes back wrapped: `answer` raises the error itself.
- An actor that is lost is told apart by a family of errors: here all of them are `LostError`.
- Ray tells its makers of every cluster that is started, unless the environment says otherwise.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, final

from latentdb.cluster.local_head import local_cluster
from latentdb.errors import ClusterError

_QUIET = {"log_to_driver": False, "logging_level": logging.ERROR}
_IN_FLIGHT_PER_CPU = 2


class LostError(Exception):
    """A worker or its machine is gone, or what it said is; never leaves this package."""


@final
@dataclass(frozen=True)
class Resources:
    """What one worker takes of its machine: cores, GPUs and bytes of memory."""

    cpus: float = 1.0
    gpus: float = 0.0
    memory: int = 0


def load_ray() -> Any:
    """The module.

    Raises
    ------
    ClusterError
        It is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise ClusterError(
            "work on several machines needs Ray: pip install 'latentdb[ray]'"
        ) from error
    return ray


@contextmanager
def joined(address: str | None, *, cpus: int | None = None) -> Iterator[None]:
    """Be part of a cluster, for the length of the block.

    Parameters
    ----------
    address : str, optional
        Of its head, such as "10.0.0.1:6379", or "auto" for the one that runs on this machine.
        None starts one of this machine alone, and ends it afterwards. A cluster that this
        process has joined before is used, and not left.
    cpus : int, optional
        Cores of a cluster that is started; those of this machine where not given.

    Raises
    ------
    ClusterError
        There is no cluster at `address`, or this process is part of another.
    """
    ray = load_ray()
    if ray.is_initialized():
        there = ray.get_runtime_context().gcs_address
        if address not in (None, "auto", there):
            raise ClusterError(f"this process is part of the cluster at {there}, not {address}")
        yield
        return
    with ExitStack() as stack:
        if address is None:
            address = stack.enter_context(local_cluster(cpus or cores_here()))
            _use_own_token()
        try:
            ray.init(address=address, **_QUIET)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ClusterError(f"no Ray cluster could be joined at {address}: {error}") from error
        stack.callback(ray.shutdown)
        yield


def _use_own_token() -> None:
    """Show the token that this user's clusters ask for: Ray does so by itself for "auto" alone."""
    try:
        from ray._private.authentication import authentication_token_setup as tokens
    except ImportError:
        return  # Clusters of an earlier Ray ask for none.
    logging.getLogger(tokens.__name__).setLevel(logging.ERROR)
    tokens.maybe_enable_token_auth_if_token_available(warn_if_disabled=False)


@contextmanager
def start_here(cpus: int, *, object_store_bytes: int) -> Iterator[str]:
    """A cluster of this machine, with this process as its first driver; yields its address."""
    ray = load_ray()
    ray.init(
        address="local",
        num_cpus=cpus,
        object_store_memory=object_store_bytes,
        include_dashboard=False,
        **_QUIET,
    )
    try:
        yield ray.get_runtime_context().gcs_address
    finally:
        ray.shutdown()


def cores_here() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cluster_has(kind: str) -> int:
    """How many of "CPU" or "GPU" the machines of the cluster have now."""
    return int(load_ray().cluster_resources().get(kind, 0))


def start_actor(made_by: type, *arguments: Any, resources: Resources, at_once: int = 1) -> Any:
    """An actor of a class, on whichever machine has room; `at_once` calls run at a time.

    It may still wait for room when this returns.
    """
    options = {
        "num_cpus": resources.cpus,
        "num_gpus": resources.gpus,
        "memory": resources.memory or None,
        "max_concurrency": at_once,
        "scheduling_strategy": "SPREAD",
    }
    return load_ray().remote(made_by).options(**options).remote(*arguments)


def end_actor(actor: Any) -> None:
    """End an actor, whatever it is doing."""
    load_ray().kill(actor, no_restart=True)


def answer(reference: Any, *, timeout_s: float | None = None) -> Any:
    """What a call gave.

    Raises
    ------
    LostError
        Its worker or its machine is gone, or has not answered in time.
    Exception
        What the call raised.
    """
    ray = load_ray()
    try:
        return ray.get(reference, timeout=timeout_s)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if not isinstance(cause, Exception) or isinstance(cause, ray.exceptions.RayError):
            raise ClusterError(f"a worker could not be asked: {cause}") from error
        raise cause from None
    except ray.exceptions.GetTimeoutError as error:
        raise LostError(f"no answer within {timeout_s:g} s") from error
    except ray.exceptions.RayError as error:
        raise LostError(str(error).splitlines()[0]) from error


def is_there(reference: Any) -> bool:
    """Whether a call has ended, well or not."""
    done, _ = load_ray().wait([reference], timeout=0)
    return bool(done)


def run_tasks(
    function: Callable[..., Any], inputs: Iterable[Sequence[Any]], *, max_cpus: int | None = None
) -> Iterator[tuple[int, Any]]:
    """Call `function` on each of `inputs` somewhere in the cluster; results as they come.

    A task whose machine is lost is run again by Ray on another. A bounded number is under way at
    a time, whatever the number of inputs.

    Yields
    ------
    int, object
        Place of the input, and what the call gave.

    Raises
    ------
    ClusterError
        A task was lost as often as Ray tries.
    Exception
        What a call raised.
    """
    ray = load_ray()
    task = ray.remote(function).options(num_cpus=1, scheduling_strategy="SPREAD")
    waiting = iter(enumerate(inputs))
    most = _IN_FLIGHT_PER_CPU * max(1, max_cpus or cluster_has("CPU"))
    under_way: dict[Any, int] = {}
    try:
        while True:
            for place, arguments in islice(waiting, most - len(under_way)):
                under_way[task.remote(*arguments)] = place
            if not under_way:
                return
            done, _ = ray.wait(list(under_way), num_returns=1)
            place = under_way.pop(done[0])
            yield place, _told(done[0])
    finally:
        for reference in under_way:
            ray.cancel(reference, force=True)


def _told(reference: Any) -> Any:
    try:
        return answer(reference)
    except LostError as error:
        raise ClusterError(f"a task was lost again and again: {error}") from error
