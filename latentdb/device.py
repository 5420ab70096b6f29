"""What running a model on a device brings with it, said without importing torch."""

from __future__ import annotations

_MEMORY_TEXTS = (
    "out of memory",  # CUDA, MPS, XPU
    "can't allocate memory",  # torch's CPU allocator
    "cannot allocate memory",
    "not enough memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that memory ran out, so that a smaller batch may succeed.

    Models of this package let such errors through as they come: `MemoryError`,
    `torch.OutOfMemoryError`, and the plain `RuntimeError` that torch's CPU allocator and cuBLAS
    raise. The ingest pipeline asks this function and halves its batch.

    Parameters
    ----------
    error : BaseException
        What was caught.

    Returns
    -------
    bool
        True for memory errors of Python, NumPy and torch on any device.
    """
    if isinstance(error, MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    text = str(error).lower()
    return any(phrase in text for phrase in _MEMORY_TEXTS)
