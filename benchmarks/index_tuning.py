"""What an index that is tuned by pictures alone finds of texts, and by its own rows of new ones.

    python -m benchmarks.index_tuning [--quick]

Over 100,000 vectors like an encoder's (512 dimensions), asked by stored rows, by new ones and by
texts, which lie across a gap; and over 20,000 vectors of noise by the zoo's law (1,024), asked by
stored rows and by new ones. Every kind of index is tuned to recall .95 twice: by what one kind of
question finds, and by what all find. `latentdb.index.tuning` does both; half of the questions are
chosen by, recall is of the other half.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._arguments import make_parser
from benchmarks._record import record
from benchmarks._synthetic import encoder_like, text_like, zoo_noise
from indexers.faiss_library import faiss
from indexers.flat import FlatConfig
from indexers.index import VectorIndex, build_index
from indexers.kinds import make_config
from indexers.metric import CosineMetric
from indexers.types import Float32Array, IndexKind
from latentdb.index.exam import Exam
from latentdb.index.questions import QuestionKind, Questions, QuestionSet
from latentdb.index.tuning import tune

KINDS: Final[tuple[IndexKind, ...]] = ("ivf", "ivf_pq", "hnsw")
TARGET, QUESTIONS = 0.95, 400

Row = dict[str, Any]


def main() -> None:
    """Build, tune, print and keep."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--quick", action="store_true", help="A twentieth of it, kept nowhere.")
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    faiss.omp_set_num_threads(1)
    part = 20 if asked.quick else 1
    with threadpool_limits(1):
        rows = [
            *compared("embedding", *embeddings(100_000 // part, asked.seed), by="image"),
            *compared("noise", *noise(20_000 // part, asked.seed), by="id"),
        ]
    if not asked.quick:
        record("index_tuning", {"target": TARGET, "rows": rows}, seed=asked.seed)


def embeddings(n: int, seed: int) -> tuple[Float32Array, Questions]:
    """Pictures; questions by some of them, by others and by texts about the others."""
    stored = encoder_like(n, 512, seed)
    new = encoder_like(QUESTIONS, 512, seed, start=n)
    texts = text_like(QUESTIONS, 512, seed, start=n)
    asked: dict[QuestionKind, QuestionSet] = {
        **by_stored(stored, seed),
        "image": QuestionSet.of_no_item(new),
        "text": QuestionSet.of_no_item(texts),
    }
    return stored, Questions(asked)


def noise(n: int, seed: int) -> tuple[Float32Array, Questions]:
    """Noise of pictures; questions by some of it and by other noise."""
    stored = np.concatenate(list(zoo_noise(n, 1024, seed)))
    new = np.concatenate(list(zoo_noise(QUESTIONS, 1024, seed, start=n)))
    return stored, Questions({**by_stored(stored, seed), "image": QuestionSet.of_no_item(new)})


def by_stored(stored: Float32Array, seed: int) -> dict[QuestionKind, QuestionSet]:
    """Questions by stored rows, each left out of its own answer."""
    picked = np.random.default_rng(seed).permutation(len(stored))[:QUESTIONS]
    return {"id": QuestionSet(stored[picked], picked)}


def compared(
    name: str, stored: Float32Array, questions: Questions, *, by: QuestionKind
) -> Iterator[Row]:
    """Each kind of index, tuned by one kind of question and by all."""
    ids, metric = np.arange(len(stored)), CosineMetric()
    exact = build_index(stored, ids, metric=metric, config=FlatConfig())
    exam = Exam.of(questions, exact.search)
    alone = Exam({by: exam.questions[by]}, {by: exam.truth[by]}, {})
    for kind in KINDS:
        started = time.perf_counter()
        index = build_index(
            stored, ids, metric=metric, config=make_config(kind), reader=lambda some: stored[some]
        )
        built = time.perf_counter() - started
        for tuned_by, chosen_by in ((by, alone), ("all", exam)):
            yield told(name, index, kind, tuned_by, chosen_by, exam, built)


def told(
    name: str,
    index: VectorIndex,
    kind: str,
    tuned_by: str,
    chosen_by: Exam,
    exam: Exam,
    built: float,
) -> Row:
    """What is found at the effort that was chosen, of every kind of question."""
    config, tuning = tune(index, chosen_by, target=TARGET)
    _, reporting = exam.halves()
    found, seconds = reporting.take(index.at_effort(config))
    recall = {one: round(result.value, 4) for one, result in found.items()}
    asked = sum(result.questions for result in found.values())
    print(
        f"{name:>9} {len(index):>7} {kind:>7} tuned by {tuned_by:>5}: {dict(tuning.settings)}, "
        f"{recall}, {1e3 * seconds / asked:.3f} ms",
        flush=True,
    )
    return {
        "vectors": name,
        "count": len(index),
        "dim": index.dim,
        "kind": kind,
        "tuned_by": tuned_by,
        "settings": dict(tuning.settings),
        "target_met": tuning.target_met,
        "recall": recall,
        "ms_per_question": 1e3 * seconds / asked,
        "build_s": built,
    }


if __name__ == "__main__":
    main()
