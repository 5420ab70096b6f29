"""Decoding processes: in order, never started for a few, and none of them can end the run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hostile_recipes import Chatter, Hang, Segfault

from latentdb.ingest import pool as pool_module
from latentdb.ingest.chunk import Decoded, DecodeSettings, Refused
from latentdb.ingest.crew import ChunkCrew, Finished, Outcome, Plan
from latentdb.ingest.decode import pixel_id
from latentdb.ingest.pool import DecoderPool
from latentdb.ingest.recipes import AbstractRecipe, InlineBytes
from latentdb.ingest.sources import Candidate
from latentdb.ingest.worker_process import WorkerProcess
from latentdb.model import Transform

SETTINGS = DecodeSettings((Transform(16), Transform(8)), max_megapixels=1.0, min_side=2)


def all_transforms(_: str) -> Plan:
    return (0, 1)


def run(
    recipes: list[AbstractRecipe], workers: int, plan: Callable[[str], Plan] = all_transforms
) -> list[Outcome]:
    pool = DecoderPool(SETTINGS, plan, workers=workers, ahead=16)
    named = [Candidate(str(at), str(at), recipe) for at, recipe in enumerate(recipes)]
    return list(pool.outcomes(named))


@pytest.fixture
def pictures(draw, encode) -> list[AbstractRecipe]:
    return [InlineBytes(encode(draw(seed))) for seed in range(48)]


@pytest.mark.parametrize("workers", [0, 2])
def test_outcomes_come_in_order_with_the_pixels_of_each(draw, pictures, workers: int) -> None:
    outcomes = run(pictures, workers)
    assert [outcome.candidate.key for outcome in outcomes] == [str(at) for at in range(48)]
    assert [outcome.result.id for outcome in outcomes] == [pixel_id(draw(at)) for at in range(48)]
    for at in (0, 47):
        for index, transform in enumerate(SETTINGS.transforms):
            expected = transform.apply(draw(at))
            np.testing.assert_array_equal(outcomes[at].result.pixels[index], expected)


def test_only_what_the_plan_wants_is_decoded(pictures) -> None:
    plans = iter([(1,), Finished(7), Refused("corrupt", "known")])
    first, second, third = run(pictures[:3], 0, lambda _: next(plans))
    assert isinstance(first.result, Decoded)
    assert list(first.result.pixels) == [1]
    assert second.result == Finished(7)
    assert third.result == Refused("corrupt", "known")


def test_a_file_that_crashes_its_decoder_is_named_and_the_rest_goes_on(pictures) -> None:
    outcomes = run([*pictures[:20], Segfault(), *pictures[20:]], 1)
    refused = [outcome for outcome in outcomes if isinstance(outcome.result, Refused)]
    assert [outcome.candidate.key for outcome in refused] == ["20"]
    assert refused[0].result.reason == "unreadable"
    assert "signal 11" in refused[0].result.message
    assert len(outcomes) == 49


def test_a_file_that_hangs_its_decoder_is_given_up(pictures, monkeypatch) -> None:
    monkeypatch.setattr(pool_module, "SECONDS_PER_PICTURE", 0.1)
    outcomes = run([Hang(), *pictures], 1)
    assert "took longer" in outcomes[0].result.message
    assert all(isinstance(outcome.result, Decoded) for outcome in outcomes[1:])


def test_what_a_library_prints_does_not_get_between_the_answers(pictures, capfd) -> None:
    outcomes = run([Chatter(recipe.data) for recipe in pictures], 1)
    assert all(isinstance(outcome.result, Decoded) for outcome in outcomes)
    assert capfd.readouterr() == ("", "")


def test_leaving_early_ends_the_processes(pictures) -> None:
    started: list[WorkerProcess] = []

    def start() -> WorkerProcess:
        started.append(WorkerProcess(SETTINGS, timeout_s=60))
        return started[-1]

    crew = ChunkCrew(start, all_transforms, helpers=2, chunk=4, window=4)
    outcomes = crew.outcomes(Candidate("a", "a", recipe) for recipe in pictures * 9)
    next(outcomes)
    outcomes.close()
    assert started
    assert all(process._process.poll() is not None for process in started)


def test_a_decoding_process_loads_nothing_heavy() -> None:
    code = "import latentdb.ingest.worker, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    heavy = {"torch", "lancedb", "lance", "pyarrow", "duckdb", "faiss", "rich"}
    assert heavy.isdisjoint(loaded.stdout.split())
