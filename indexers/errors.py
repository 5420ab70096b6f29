"""Every error of this layer, and the root that all of latentdb's errors share.

::

    LatentDBError (Exception)                the root; catch it to catch all of ours
    └── IndexerError                         anything raised by `indexers`
        ├── ParameterError (ValueError)      a setting out of its range or not understood
        │   ├── MetricError                  unknown metric or prior, or one that does not apply
        │   └── IndexKindError               unknown kind of index, or a kind that cannot do this
        ├── DimensionError (ValueError)      an array of the wrong shape
        ├── DtypeError (TypeError)           an array of the wrong dtype
        ├── NonFiniteError (ValueError)      NaN or infinity in an input
        ├── ZeroVectorError (ValueError)     a vector without a direction where one is needed
        ├── IdError (ValueError)             ids that are negative or doubled
        │   ├── DuplicateIdError             an id that is already there
        │   └── UnknownIdError (KeyError)    an id that is not there
        ├── IndexFileError (OSError)         files missing, torn or changed since they were written
        └── IndexFormatError (ValueError)    files written by a newer version of this package

Each leaf also inherits the builtin that a caller would expect. A text says what was expected,
what came, and what to do about it.
"""

from __future__ import annotations

from typing import final


class LatentDBError(Exception):
    """Root of every error that latentdb raises on purpose."""


class IndexerError(LatentDBError):
    """Root of the errors of the nearest-neighbour layer."""


class ParameterError(IndexerError, ValueError):
    """A setting is out of its range or not understood."""


@final
class MetricError(ParameterError):
    """An unknown metric or prior, or a prior given to a metric that takes none."""


@final
class IndexKindError(ParameterError):
    """An unknown kind of index, or a configuration of another kind."""


@final
class DimensionError(IndexerError, ValueError):
    """An array has another shape than the index or metric needs."""


@final
class DtypeError(IndexerError, TypeError):
    """An array has another dtype than the index needs, and converting it would lose something."""


@final
class NonFiniteError(IndexerError, ValueError):
    """An input holds NaN or infinity."""


@final
class ZeroVectorError(IndexerError, ValueError):
    """A vector of norm zero has no direction, and the metric needs one."""

    @classmethod
    def of_row(cls, row: int, what: str) -> ZeroVectorError:
        """An error that names the row of the argument `what`."""
        return cls(
            f"expected vectors with a direction, got a zero vector in row {row} of {what}; "
            "leave it out"
        )


class IdError(IndexerError, ValueError):
    """Ids are not a set of non-negative 63-bit integers."""


@final
class DuplicateIdError(IdError):
    """An id is given twice, or is in the index already."""


@final
class UnknownIdError(IdError, KeyError):
    """An id is not in the index."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument; a sentence should read as one.
        return str(self.args[0]) if self.args else ""


@final
class IndexFileError(IndexerError, OSError):
    """Index files are missing, truncated, or not what was written."""


@final
class IndexFormatError(IndexerError, ValueError):
    """Index files are of a format newer than this package reads."""
