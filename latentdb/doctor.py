"""What is installed, what is not as it should be, and how to put it right."""

from __future__ import annotations

import importlib.util
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Literal, final

__all__ = ["Finding", "Status", "examine"]

Status = Literal["ok", "note", "problem"]

_PACKAGES = (
    "torch",
    "torchvision",
    "lancedb",
    "open_clip_torch",
    "timm",
    "transformers",
    "diffusers",
    "numpy",
    "pillow",
)
_SERVER = ("fastapi", "uvicorn", "python-multipart")
_OLDEST_PYTHON = (3, 11)


@final
@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What, such as "faiss".
    status : "ok", "note" or "problem"
        A note is worth knowing and stops nothing; a problem stops some part from working.
    found : str
        What is there.
    cure : str
        What to do; empty where nothing is to be done.
    """

    name: str
    status: Status
    found: str
    cure: str = ""


def examine(*, wait_policy: str | None = None) -> list[Finding]:
    """Look at the installation; loads torch and FAISS, and no model.

    Parameters
    ----------
    wait_policy : str, optional
        Value of OMP_WAIT_POLICY in the environment, where it is set.

    Returns
    -------
    list of Finding
        In the order of a reader's interest; problems are not moved to the front.
    """
    looks: list[Callable[[], list[Finding]]] = [
        _python,
        partial(_load, wait_policy),
        _packages,
        _faiss,
        _torch,
        _torchvision,
        _weights,
        _server,
        _cluster,
    ]
    return [finding for look in looks for finding in look()]


def faiss_finding(cpu: str | None, gpu: str | None) -> Finding:
    """What the versions of faiss-cpu and faiss-gpu, None where absent, amount to."""
    if cpu and gpu:
        return Finding(
            "faiss",
            "problem",
            f"faiss-cpu {cpu} and faiss-gpu {gpu} together: they share one folder and break "
            "each other",
            "pip uninstall -y faiss-cpu faiss-gpu, then pip install 'latentdb[cpu]' or "
            "'latentdb[gpu]'",
        )
    if not cpu and not gpu:
        return Finding(
            "faiss",
            "problem",
            "neither faiss-cpu nor faiss-gpu",
            "pip install 'latentdb[cpu]', or 'latentdb[gpu]' beside CUDA 12",
        )
    return Finding("faiss", "ok", f"faiss-cpu {cpu}" if cpu else f"faiss-gpu {gpu}")


def load_findings(load: float, cores: int, wait_policy: str | None) -> list[Finding]:
    """What a load average means for threads that wait by `wait_policy`, OMP_WAIT_POLICY's value."""
    if wait_policy or load <= cores:
        return []
    found = f"{load:.1f} on {cores} cores, where threads of OpenMP spin while they wait"
    cure = "OMP_WAIT_POLICY=passive in the environment; on idle cores it costs a fifth"
    return [Finding("load", "note", found, cure)]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _python() -> list[Finding]:
    version = platform.python_version()
    found = f"{version} on {platform.system()} {platform.machine()}, {_cores()} cores"
    return [Finding("python", "ok", found)]


def _load(wait_policy: str | None) -> list[Finding]:
    if not hasattr(os, "getloadavg"):
        return []
    return load_findings(os.getloadavg()[0], _cores(), wait_policy)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _packages() -> list[Finding]:
    versions = {package: _version(package) for package in _PACKAGES}
    missing = [package for package, version in versions.items() if version is None]
    shown = ", ".join(f"{package} {version}" for package, version in versions.items() if version)
    if not missing:
        return [Finding("packages", "ok", shown)]
    cure = "pip install --upgrade --force-reinstall latentdb"
    return [Finding("packages", "problem", f"missing: {', '.join(missing)}; {shown}", cure)]


def _faiss() -> list[Finding]:
    finding = faiss_finding(_version("faiss-cpu"), _version("faiss-gpu"))
    if finding.status != "ok":
        return [finding]
    try:
        from latentdb.torch_compat import torch as _torch_first  # noqa: F401

        importlib.import_module("faiss")
    except ImportError as error:
        cure = "pip install --force-reinstall the one that is there"
        return [Finding("faiss", "problem", f"{finding.found} cannot be loaded: {error}", cure)]
    return [finding]


def _torch() -> list[Finding]:
    if importlib.util.find_spec("torch") is None:
        return []
    from latentdb.torch_compat import torch

    if not torch.cuda.is_available():
        built_for = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "a CPU build"
        return [Finding("accelerator", "note", f"no GPU in use (torch is {built_for})")]
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [Finding("accelerator", "ok", f"{', '.join(names)}, CUDA {torch.version.cuda}")]


def _torchvision() -> list[Finding]:
    if importlib.util.find_spec("torchvision") is None:
        return []
    from latentdb.torch_compat import torchvision_extension_loads

    if torchvision_extension_loads():
        return [Finding("torchvision", "ok", "its compiled operators load")]
    found = (
        "built for another torch, so its compiled operators do not load; latentdb stands in for "
        "the two that imports need, and calls none of them"
    )
    return [Finding("torchvision", "note", found)]


def _weights() -> list[Finding]:
    from latentdb.bundled import BUNDLED

    missing = {name: model.missing for name, model in BUNDLED.items() if model.missing}
    if not missing:
        return [Finding("bundled models", "ok", ", ".join(BUNDLED))]
    found = "; ".join(f"{name} lacks {', '.join(parts)}" for name, parts in missing.items())
    cure = "install from the wheel or a full checkout, or run python -m latentdb.zoo.train"
    return [Finding("bundled models", "problem", found, cure)]


def _server() -> list[Finding]:
    missing = [package for package in _SERVER if _version(package) is None]
    if not missing:
        return [Finding("server", "ok", "latentdb serve is installed")]
    cure = "pip install 'latentdb[serve]', if pictures are to be served"
    return [Finding("server", "note", f"not installed: {', '.join(missing)}", cure)]


def _cluster() -> list[Finding]:
    version = _version("ray")
    if version is not None:
        return [Finding("cluster", "ok", f"ray {version}: ingest, stitch and index --engine ray")]
    cure = "pip install 'latentdb[ray]', if more than one machine is to work"
    return [Finding("cluster", "note", "ray is not installed", cure)]
