"""Ray: the only file that knows its names, its errors and its quirks.

- What a task or actor raises comes back wrapped: `answer` raises the error itself.
- An actor that is lost is told apart by a family of errors: here all of them are `LostError`.
- Ray tells its makers of every cluster that is started, unless the environment says otherwise.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, final

from latentdb.errors import ClusterError

# Of a cluster that is started for one run. What is sent is small, and bounded in number.
_OBJECT_STORE_BYTES = 200 * 2**20
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
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    own = {
        "num_cpus": cpus,
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE_BYTES,
    }
    try:
        ray.init(address=address or "local", **quiet, **({} if address else own))
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"joined at {address}" if address else "started on this machine"
        raise ClusterError(f"no Ray cluster could be {where}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


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
