"""Clients of benchmarks.kill_serve: they write without pause, and keep account of every promise."""

from __future__ import annotations

import io
import itertools
import random
import threading
from dataclasses import dataclass, field
from typing import final

import httpx

from latentdb.zoo.faces import draw_face

_LARGEST_UPLOAD = 12
_SEED = 4_000


@final
@dataclass
class Account:
    """What a server has promised.

    Attributes
    ----------
    taken : dict of int to str
        Ids of pictures that were acknowledged, with the job.
    labels : dict of int to int
        Value of the label `seen` that was acknowledged last; None while it is not known.
    deleted : set of int
        Ids whose deletion was acknowledged.
    unsure : set of int
        Ids whose deletion or label was on its way when the server was killed.
    lost_answers : int
        Uploads that got no answer, and were sent again under the same key.
    waits : int
        Times that the server said that it cannot now.
    refused : list of str
        Answers to uploads that should not have been.
    """

    taken: dict[int, str] = field(default_factory=dict)
    labels: dict[int, int] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)
    lost_answers: int = 0
    waits: int = 0
    refused: list[str] = field(default_factory=list)


@final
class Clients:
    """Uploaders, and one that labels and deletes what was uploaded.

    Parameters
    ----------
    account : Account
        Written to.
    count : int
        Uploaders.
    seed : int
    """

    def __init__(self, account: Account, *, count: int, seed: int) -> None:
        self._account = account
        self._count = count
        self._rng = random.Random(seed)
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        # Of uploads without an answer: the key, and the numbers of the pictures.
        self._unanswered: list[tuple[str, list[int]]] = []

    def run(self, url: str, ending: threading.Event) -> list[threading.Thread]:
        """Threads that write to the server at `url`, until it is gone or they are to end."""
        workers = [self._upload] * self._count + [self._change]
        threads = [
            threading.Thread(target=worker, args=(url, ending), daemon=True) for worker in workers
        ]
        for thread in threads:
            thread.start()
        return threads

    def _upload(self, url: str, ending: threading.Event) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not ending.is_set():
                key, numbers = self._next()
                sent = [("files", (f"face {at}.png", _png(at))) for at in numbers]
                try:
                    answer = client.post("/v1/items", files=sent, headers={"idempotency-key": key})
                except httpx.TransportError:
                    with self._lock:
                        self._account.lost_answers += 1
                        self._unanswered.append((key, numbers))
                    return
                if answer.status_code in (429, 503):
                    with self._lock:
                        self._account.waits += 1
                        self._unanswered.append((key, numbers))
                    ending.wait(1)
                    continue
                self._note(answer, len(numbers))

    def _next(self) -> tuple[str, list[int]]:
        with self._lock:
            if self._unanswered:
                return self._unanswered.pop()
            size = self._rng.randint(1, _LARGEST_UPLOAD)
            numbers = list(itertools.islice(self._numbers, size))
            return f"upload-{numbers[0]}", numbers

    def _note(self, answer: httpx.Response, count: int) -> None:
        with self._lock:
            if answer.status_code != 202 or len(answer.json()["items"]) != count:
                self._account.refused.append(answer.text)
                return
            body = answer.json()
            for item in body["items"]:
                self._account.taken[item["id"]] = body["job"]["id"]

    def _change(self, url: str, ending: threading.Event) -> None:
        """Label some of the pictures that have become items, and delete others."""
        with httpx.Client(base_url=url, timeout=60) as client:
            while not ending.wait(0.05):
                with self._lock:
                    there = [one for one in self._account.taken if one not in self._account.deleted]
                    if not there:
                        continue
                    # The first ones are items by now.
                    item_id = there[int(len(there) * self._rng.random() ** 3)]
                    value = self._rng.randrange(1000)
                    is_deletion = self._rng.random() < 0.2
                    was_unsure = item_id in self._account.unsure
                    self._account.unsure.add(item_id)
                try:
                    path = f"/v1/items/{item_id}"
                    if is_deletion:
                        answer = client.delete(path)
                    else:
                        answer = client.put(f"{path}/labels", json={"seen": value})
                except httpx.TransportError:
                    return
                self._settle(item_id, value, answer.status_code, was_unsure=was_unsure)

    def _settle(self, item_id: int, value: int, status: int, *, was_unsure: bool) -> None:
        """Note what became of a change: refused, it changed nothing."""
        account = self._account
        with self._lock:
            if status == 204:
                account.deleted.add(item_id)
            elif status == 200:
                account.labels[item_id] = value
            # A label that may have been set is known again once another one was.
            if not was_unsure or status in (200, 204):
                account.unsure.discard(item_id)


def _png(number: int) -> bytes:
    """A drawn face unlike all others."""
    file = io.BytesIO()
    draw_face(_SEED, number).image.save(file, "PNG", compress_level=1)
    return file.getvalue()
