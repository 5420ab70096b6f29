"""What goes wrong with an object store, in a sentence each with what to do about it."""

from __future__ import annotations

import re
from typing import Final

# By what the SDKs and the servers behind them write; the first that is found counts.
_TROUBLES: Final = (
    (
        r"Unable to locate credentials|NoCredentials|PartialCredentials|no providers in chain|"
        r"CredentialsNotLoaded|credentials were not|failed to load credentials",
        "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        "AWS_PROFILE",
    ),
    (
        r"InvalidAccessKeyId|InvalidClientTokenId",
        "the access key is not known at {endpoint}; check AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL",
    ),
    (
        r"SignatureDoesNotMatch",
        "the secret key does not belong to the access key; check AWS_SECRET_ACCESS_KEY",
    ),
    (r"ExpiredToken|TokenRefreshRequired", "the session has run out; sign in again"),
    (
        r"RequestTimeTooSkewed",
        "the clock of this machine is more than 15 minutes off; set it right",
    ),
    (
        r"NoSuchBucket|specified bucket does not exist",
        "there is no bucket {bucket!r} at {endpoint}; make it first, such as by "
        "aws s3 mb s3://{bucket}",
    ),
    (
        r"AccessDenied|Forbidden|\b403\b|AllAccessDisabled",
        "access is denied; the key needs to list bucket {bucket!r} and to get, put and delete "
        "objects in it",
    ),
    (
        r"PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint",
        "bucket {bucket!r} is in another region; set AWS_REGION to that",
    ),
    (r"QuotaExceeded|InsufficientStorage|XMinioStorageFull", "the object store is full"),
    (
        r"Could not connect|Connect timeout|Read timeout|Connection was closed|error sending "
        r"request|dns error|connection refused|timed out|operation timed out|ConnectionClosed|"
        r"IncompleteRead|Connection broken|EndpointConnection|Failed to connect|SSL validation",
        "no answer from {endpoint}; check the network and AWS_ENDPOINT_URL, and run the same "
        "again: what was committed is kept",
    ),
    (
        r"SlowDown|ServiceUnavailable|InternalError|\b50[0234]\b",
        "the object store is overloaded or out of order; run the same again later",
    ),
)
# Rust tells where in its own source an error was made.
_SOURCE_LINE = re.compile(r",?\s*/\S+\.rs:\d+(?::\d+)?")


def plain_words(told: str, *, bucket: str, endpoint: str) -> str:
    """The sentence for what an SDK told; of what is not known, its first 300 letters."""
    for pattern, sentence in _TROUBLES:
        if re.search(pattern, told, re.IGNORECASE):
            return sentence.format(bucket=bucket, endpoint=endpoint)
    return _SOURCE_LINE.sub("", told)[:300]
