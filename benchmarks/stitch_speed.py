"""Maps against scikit-learn and latentis on the same splits, and flat memory to a million rows.

    python -m benchmarks.stitch_speed               # 100,000 rows, 512 → 1,024
    python -m benchmarks.stitch_speed --quick       # 3,000 rows, 32 → 64

Every contender runs in a process of its own on the same files: fits on the training rows, chooses
what it chooses on the same 2,000 validation rows, and is scored on the same 2,000 held-out rows by
the same function. Seconds are of the fit, reading included; memory is how far the fit's peak lies
over what the process holds after its imports (Linux, which can forget an earlier peak). latentis
(0.0.8 on PyPI) is left out, and said to be, where it is not installed; PYTHONPATH may name a folder
that has it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import ROOT, record

LATENT, KEPT, BATCH = 128, 2000, 8192
GRID = np.logspace(-5.0, 3.0, 17)
Predict = Callable[[np.ndarray], np.ndarray]


class Files:
    """Rows of both sides on disk: training, then validation, then held out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shape = json.loads((folder / "shape.json").read_text())
        self.n, self.kept = int(shape["n"]), int(shape["kept"])
        self.dims: dict[str, int] = {"x": shape["source_dim"], "y": shape["target_dim"]}

    @classmethod
    def make(cls, folder: Path, *, n: int, kept: int, dims: tuple[int, int], seed: int) -> Files:
        """Draw X = Z A + noise and Y = Z B + noise, `n` training rows and twice `kept` more."""
        shape = {"n": n, "kept": kept, "source_dim": dims[0], "target_dim": dims[1]}
        (folder / "shape.json").write_text(json.dumps(shape))
        with (folder / "x").open("wb") as x, (folder / "y").open("wb") as y:
            for X, Y in drawn(n + 2 * kept, dims, seed=seed):
                X.tofile(x)
                Y.tofile(y)
        return cls(folder)

    def rows(self, side: str, start: int, stop: int) -> np.ndarray:
        """Rows (stop − start, dim) float32, read from the file."""
        dim = self.dims[side]
        count, offset = (stop - start) * dim, start * dim * 4
        return np.fromfile(self.folder / side, np.float32, count, offset=offset).reshape(-1, dim)

    def train(self) -> tuple[np.ndarray, np.ndarray]:
        """All training rows at once."""
        return self.rows("x", 0, self.n), self.rows("y", 0, self.n)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Training rows, a batch at a time."""
        for start in range(0, self.n, BATCH):
            stop = min(start + BATCH, self.n)
            yield self.rows("x", start, stop), self.rows("y", start, stop)

    def validation(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows to choose on."""
        span = (self.n, self.n + self.kept)
        return self.rows("x", *span), self.rows("y", *span)

    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows to score on."""
        span = (self.n + self.kept, self.n + 2 * self.kept)
        return self.rows("x", *span), self.rows("y", *span)


def drawn(n: int, dims: tuple[int, int], *, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of noisy views of one Gaussian of `LATENT` dimensions, off the origin."""
    rng = np.random.default_rng(seed)
    latent = min(LATENT, *dims)
    A, B = (rng.standard_normal((latent, d), np.float32) / np.sqrt(latent) for d in dims)
    for start in range(0, n, BATCH):
        m = min(BATCH, n - start)
        Z = rng.standard_normal((m, latent), np.float32)
        X, Y = (Z @ C + 0.7 * rng.standard_normal((m, C.shape[1]), np.float32) for C in (A, B))
        yield (X + 0.5).astype(np.float32), (Y + 0.5).astype(np.float32)


def _ours(method: str) -> Callable[[Files], Predict]:
    def fit(files: Files) -> Predict:
        from latentdb.stitch.selection import Pairs

        moments = _moments(files.dims, method)
        for X, Y in files.batches():
            moments.update(X, Y)
        return _stitcher(method).fit_moments(moments, Pairs(*files.validation())).predict

    return fit


def _stitcher(method: str):
    from latentdb import stitch

    return {
        "ridge": stitch.RidgeStitcher(selection="r2"),
        "reduced_rank": stitch.ReducedRankStitcher(selection="r2"),
        "procrustes": stitch.ProcrustesStitcher(),
        "cca": stitch.CcaStitcher(selection="r2"),
    }[method]


def _moments(dims: dict[str, int], method: str):
    from latentdb.stitch import PairMoments

    wants = _stitcher(method).needs_target_gram
    return PairMoments(dims["x"], dims["y"], with_target_gram=wants)


def _sklearn_ridge(files: Files) -> Predict:
    """One fit per strength of the same 17, the best R² on the validation rows."""
    from sklearn.linear_model import Ridge

    X, Y = files.train()
    scale = float(X.var(axis=0).sum()) * len(X) / X.shape[1]
    X_v, Y_v = files.validation()
    fits = [Ridge(alpha=scale * relative).fit(X, Y) for relative in GRID]
    return min(fits, key=lambda fit: float(((Y_v - fit.predict(X_v)) ** 2).sum())).predict


def _sklearn_ridge_cv(files: Files) -> Predict:
    """Its own path: leave-one-out errors of the same 17 strengths from one decomposition."""
    from sklearn.linear_model import RidgeCV

    X, Y = files.train()
    scale = float(X.var(axis=0).sum()) * len(X) / X.shape[1]
    return RidgeCV(alphas=scale * GRID).fit(X, Y).predict


def _sklearn_ridge_once(files: Files) -> Predict:
    """One fit at a strength that is given to it."""
    from sklearn.linear_model import Ridge

    X, Y = files.train()
    scale = float(X.var(axis=0).sum()) * len(X) / X.shape[1]
    return Ridge(alpha=scale * 1e-3).fit(X, Y).predict


def _sklearn_cca(files: Files) -> Predict:
    from sklearn.cross_decomposition import CCA

    X, Y = files.train()
    return CCA(n_components=16, max_iter=500).fit(X, Y).predict


def _latentis(kind: str) -> Callable[[Files], Predict]:
    def fit(files: Files) -> Predict:
        import torch
        from latentis.transform.base import StandardScaling
        from latentis.transform.translate.aligner import MatrixAligner, Procrustes, Translator
        from latentis.transform.translate.functional import lstsq_align_state

        if kind == "procrustes":
            translator = Procrustes()
        else:
            translator = Translator(
                aligner=MatrixAligner("lstsq", lstsq_align_state),
                x_transform=StandardScaling(),
                y_transform=StandardScaling(),
            )
        X, Y = (torch.from_numpy(rows) for rows in files.train())
        translator.fit(X, Y)
        return lambda rows: translator.transform(torch.from_numpy(rows))[0].numpy()

    return fit


CONTENDERS: dict[str, Callable[[Files], Predict]] = {
    "latentdb ridge": _ours("ridge"),
    "scikit-learn Ridge, 17 strengths": _sklearn_ridge,
    "scikit-learn RidgeCV, 17 strengths": _sklearn_ridge_cv,
    "scikit-learn Ridge, one strength": _sklearn_ridge_once,
    "latentis affine": _latentis("affine"),
    "latentdb reduced_rank": _ours("reduced_rank"),
    "latentdb cca": _ours("cca"),
    "latentdb procrustes": _ours("procrustes"),
    "latentis procrustes": _latentis("procrustes"),
}
SMALL: dict[str, Callable[[Files], Predict]] = {
    "latentdb cca": _ours("cca"),
    "scikit-learn CCA, 16 components": _sklearn_cca,
}


def _streamed(n: int, dims: tuple[int, int], seed: int) -> dict[str, float]:
    """Ridge of `n` rows that are drawn as they are needed; drawing is not timed."""
    from latentdb.stitch import SplitMoments

    stream = SplitMoments(*dims, n_kept=2 * KEPT, with_target_gram=False)
    seconds, at = 0.0, 0
    before = _forget_peak()
    for X, Y in drawn(n, dims, seed=seed):
        started = time.perf_counter()
        stream.update(np.arange(at, at + len(X)), X, Y)
        seconds += time.perf_counter() - started
        at += len(X)
    started = time.perf_counter()
    split = stream.split(min(KEPT, n // 5), min(KEPT, n // 5))
    fitted = _stitcher("ridge").fit_moments(split.train, split.validation)
    seconds += time.perf_counter() - started
    scores = _scores(fitted.predict(split.held_out.X), split.held_out.Y)
    return {"n": n, "seconds": seconds, "peak_rise_mb": _peak_mb() - before, **scores}


def _child(name: str, folder: Path) -> dict[str, float]:
    """Fit and score one contender, in this process."""
    _import_all(name)
    files = Files(folder)
    before = _forget_peak()
    started = time.perf_counter()
    group = SMALL if (folder / "small").exists() else CONTENDERS
    predict = group[name](files)
    seconds, rise = time.perf_counter() - started, _peak_mb() - before
    X, Y = files.held_out()
    return {"seconds": seconds, "peak_rise_mb": rise, **_scores(np.asarray(predict(X)), Y)}


def _import_all(name: str) -> None:
    """Load what a contender needs before its clock starts."""
    if name.startswith("latentis"):
        import latentis.transform.translate.aligner  # noqa: F401
    elif name.startswith("scikit"):
        import sklearn.cross_decomposition
        import sklearn.linear_model  # noqa: F401
    else:
        import latentdb.stitch  # noqa: F401


def _scores(predicted: np.ndarray, actual: np.ndarray) -> dict[str, float]:
    """Held-out R², centred cosine and recall@10, by the library's own function."""
    from latentdb.stitch.evaluate import score_predictions, typical_spread

    mean = actual.mean(axis=0, dtype=np.float64)
    scores = score_predictions(
        predicted, actual, mean=mean, spread=typical_spread(actual, mean), n_resamples=50
    )
    return {
        "r2": scores.r2.value,
        "centred_cosine": scores.centred_cosine.value,
        "recall_at_10": scores.recall_at_10.value,
    }


def _forget_peak() -> float:
    """Make the peak of resident memory what is resident now, and return that in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak_mb()


def _peak_mb() -> float:
    """Peak resident memory of this process, MB."""
    status = Path("/proc/self/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kib) * 1024 / 1e6


def _run(*arguments: str) -> dict[str, object]:
    """This file in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.stitch_speed", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1]}
    found: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _compare(names: list[str], folder: Path) -> dict[str, object]:
    """Every contender on the same files, one after the other."""
    results: dict[str, object] = {}
    for name in names:
        if name.startswith("latentis") and importlib.util.find_spec("latentis") is None:
            results[name] = "not installed"
            continue
        results[name] = _run("--child", name, "--folder", str(folder))
        print(name, results[name], file=sys.stderr)
    return results


def main() -> None:
    """Make the files, run every contender, print and keep it."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--n", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--child", help=argparse.SUPPRESS)
    arguments.add_argument("--streamed", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    dims = (32, 64) if asked.quick else (512, 1024)
    if asked.child:
        print(json.dumps(_child(asked.child, asked.folder)))
        return
    if asked.streamed:
        print(json.dumps(_streamed(asked.streamed, dims, asked.seed)))
        return
    n, kept = (3000, 300) if asked.quick else (asked.n, KEPT)
    small_n, small_dims = (1000, (16, 16)) if asked.quick else (10_000, (64, 64))
    quick = ["--quick"] if asked.quick else []
    results: dict[str, object] = {"n": n, "dims": dims, "held_out": kept}
    with tempfile.TemporaryDirectory() as folder:
        Files.make(Path(folder), n=n, kept=kept, dims=dims, seed=asked.seed)
        results["contenders"] = _compare(list(CONTENDERS), Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        Files.make(Path(folder), n=small_n, kept=kept, dims=small_dims, seed=asked.seed)
        (Path(folder) / "small").touch()
        small = _compare(list(SMALL), Path(folder))
        results["cca"] = {"n": small_n, "dims": small_dims, "contenders": small}
    counts = [n // 2, n, 2 * n] if asked.quick else [n, 300_000, 1_000_000]
    results["streamed"] = [_run("--streamed", str(count), *quick) for count in counts]
    if asked.quick:
        print(json.dumps(results, indent=2))
        return
    record("stitch_speed", results, seed=asked.seed)


if __name__ == "__main__":
    main()
