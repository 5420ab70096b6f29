"""The decoding process: `python -m latentdb.ingest.worker`, spoken to over its pipes.

A fresh interpreter, never a fork: the storage engine does not survive one. It is started as a
program of its own and not by `multiprocessing`, whose spawned children import the caller's main
module again, so that a script without an `if __name__ == "__main__"` guard works, and nothing
heavy that the script imports is loaded a second time.
"""

from __future__ import annotations

import os
import pickle
import warnings
from typing import IO, Any

from latentdb.ingest.chunk import ChunkDecoder, DecodeSettings

NICENESS = 5


def send(pipe: IO[bytes], message: Any) -> None:
    """Write one message and push it through."""
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next message; EOFError where the other side is gone."""
    return pickle.load(pipe)  # noqa: S301 - both ends are this program


def main() -> None:
    """Answer requests until the pipe is closed."""
    warnings.simplefilter("ignore")
    os.nice(NICENESS)
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # What a C library prints must not get between the answers, nor into the progress bar.
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    settings: DecodeSettings = receive(requests)
    decoder = ChunkDecoder(settings)
    send(answers, os.getpid())
    os.dup2(nowhere, 2)
    while True:
        try:
            verb, argument = receive(requests)
        except EOFError:
            return
        send(answers, decoder.read(argument) if verb == "read" else decoder.decode(argument))


if __name__ == "__main__":
    main()
