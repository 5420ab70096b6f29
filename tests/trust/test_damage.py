"""Bits that flip and files that are cut short: noticed or harmless, never another answer."""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from trust_settings import ROUNDS
from trust_world import answers, build, copy_of, kinds_of_files

import latentdb
from latentdb.errors import LatentDBError

# Damaged one at a time, of kinds of files in turn; there are about forty kinds.
_FILES = {
    "flip": 52 * ROUNDS,
    "cut_short": 8 * ROUNDS,
    "lose_pages": 8 * ROUNDS,
    "lose": 8 * ROUNDS,
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("damage") / "whole.ldb"
    build(folder)
    return folder


def outcome(damaged: Path, wanted: list[object]) -> str:
    """What becomes of a damaged database: "an error", "check" or "harmless"; else "SILENT"."""
    try:
        is_equal, found = answers(damaged) == wanted, "harmless"
    except LatentDBError:
        is_equal, found = True, "an error"
    try:
        problems = latentdb.open(damaged).check()
    except LatentDBError:
        return "an error"
    if any(problem.severity == "fault" for problem in problems):
        return "an error" if found == "an error" else "check"
    # An answer that refuses without `check` knowing why would leave nobody anything to do.
    return found if is_equal and found == "harmless" else "SILENT"


def damage_some(database: Path, scratch: Path, damage) -> Counter[tuple[str, str]]:
    """Damage files, one at a time, and count what became of each kind of file."""
    rng, wanted, seen = random.Random(damage.__name__), answers(database), Counter()
    kinds = kinds_of_files(database)
    order = rng.sample(sorted(kinds), len(kinds))
    for kind in itertools.islice(itertools.cycle(order), _FILES[damage.__name__]):
        path = rng.choice(kinds[kind])
        damaged = copy_of(database, scratch / "damaged.ldb")
        damage(damaged / path, rng)
        # What was fitted may be gone because it was taken away: that is no damage.
        is_taken_away = not (damaged / path).exists() and is_fitted(path)
        became = outcome(damaged, answers(damaged) if is_taken_away else wanted)
        seen[kind, became] += 1
    return seen


def is_fitted(path: Path) -> bool:
    return path.parts[0] in ("maps", "directions", "priors") or path.name == "CURRENT"


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def cut_short(path: Path, rng: random.Random) -> None:
    os.truncate(path, rng.randrange(path.stat().st_size))


def lose_pages(path: Path, rng: random.Random) -> None:
    """Zeros in place of what comes after a point, as a crash of the machine may leave them."""
    data = path.read_bytes()
    at = rng.randrange(len(data))
    path.write_bytes(data[:at] + bytes(len(data) - at))


def lose(path: Path, rng: random.Random) -> None:
    del rng
    path.unlink()


@pytest.mark.parametrize(
    "damage", [flip, cut_short, lose_pages, lose], ids=lambda one: one.__name__
)
def test_damage_of_any_file_is_noticed_or_harmless(database, tmp_path, damage, record_property):
    seen = damage_some(database, tmp_path, damage)
    for (kind, became), count in sorted(seen.items()):
        record_property(f"damage|{damage.__name__}|{kind}|{became}", count)
    assert not [key for key in seen if key[1] == "SILENT"]
    assert sum(seen.values()) == _FILES[damage.__name__]


def flip_in_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def largest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda one: one.stat().st_size)


def test_newest_version_that_is_lost_does_not_pass_for_the_one_before(database, tmp_path):
    damaged = copy_of(database, tmp_path / "damaged.ldb")
    newest = min((damaged / "items.lance" / "_versions").glob("*.manifest"))
    newest.unlink()
    (problem,) = [one for one in latentdb.open(damaged).check() if one.kind == "damaged_files"]
    assert (problem.table, problem.repairable) == ("items", False)
    assert "is lost, the newest there is" in problem.detail
    assert "latentdb restore" in problem.cure


def test_damaged_pieces_are_not_merged_into_sound_ones(database, tmp_path):
    damaged = copy_of(database, tmp_path / "damaged.ldb")
    flip_in_the_middle(largest(damaged / "space_noise.lance" / "data"))
    with pytest.raises(LatentDBError, match="space_noise is damaged, and its pieces are not merg"):
        latentdb.open(damaged).upkeep.compact()
    assert "damaged_files" in {one.kind for one in latentdb.open(damaged).check()}


def test_repair_of_damaged_items_removes_no_vector(database, tmp_path):
    damaged = copy_of(database, tmp_path / "damaged.ldb")
    for path in (damaged / "items.lance" / "data").iterdir():
        flip_in_the_middle(path)
    before = [latentdb.open(damaged).store.version(name) for name in ("noise", "clip")]
    left = latentdb.open(damaged).check(repair=True)
    assert ("damaged_files", "items") in {(one.kind, one.table) for one in left}
    assert [latentdb.open(damaged).store.version(name) for name in ("noise", "clip")] == before
