"""Which kind of place an address means."""

from __future__ import annotations

from latentdb.errors import StoreError
from latentdb.store.local_folder import LocalFolder, local_path, scheme_of
from latentdb.store.location import AbstractLocation

_OTHER_STORES = frozenset({"abfs", "abfss", "adl", "az", "azure", "gcs", "gs", "oss"})


def locate(uri: str) -> AbstractLocation:
    """The place that an address means; nothing is asked of it yet.

    Parameters
    ----------
    uri : str
        Such as `faces.ldb`, `file:///data/faces.ldb` or `s3://bucket/faces.ldb`.

    Raises
    ------
    StoreError
        The text is empty, or names a scheme that is not supported.
    """
    name = scheme_of(uri)
    if name == "s3":
        from latentdb.store.object_location import ObjectLocation

        return ObjectLocation(uri)
    if name in _OTHER_STORES:
        raise StoreError(
            f"{name}:// is not supported: one writer at a time is kept by conditional writes of "
            "the S3 protocol; use an object store that speaks it, as s3://BUCKET/NAME"
        )
    return LocalFolder(local_path(uri))
