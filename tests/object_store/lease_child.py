"""Takes the writer's lock of a database in an object store for two seconds, and is killed."""

from __future__ import annotations

import os
import signal
import sys

from latentdb.store.bucket import Bucket
from latentdb.store.lease import LeaseLock

bucket, _, prefix = sys.argv[1].removeprefix("s3://").partition("/")
with LeaseLock(Bucket(bucket, prefix), sys.argv[1], seconds=2).held():
    print(os.getpid(), flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
