"""The one import of FAISS.

Its bundled type hints miss the Python wrappers (keyword arguments, arrays for pointers), so it is
handled as `Any`. Where torch is used in the same process, torch must be imported first.
"""

from __future__ import annotations

from typing import Any

import faiss as _faiss

faiss: Any = _faiss
