"""`python -m latentdb.zoo.evaluate`: measure the bundled models on faces they never saw.

Prints a table with each floor met or missed, and exits with 1 when one is missed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final, final

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from latentdb.zoo.cards import write_cards
from latentdb.zoo.faces import EVALUATION_SEED
from latentdb.zoo.measures import (
    NOISE_SPACES,
    RETRIEVAL_POOL,
    Codes,
    compute_codes,
    held_out_faces,
    probe_aucs,
    retrieval_recall,
)
from latentdb.zoo.provenance import commit, machine
from latentdb.zoo.samples import save_samples
from latentdb.zoo.training import WEIGHTS

FLOORS: Final[Mapping[str, float]] = {
    "autoencoder_psnr_db": 27.0,
    "round_trip_psnr_db": 25.0,
    "noise_probe_auc": 0.85,
    "blind_round_trip_psnr_db": 40.0,
    "blind_noise_probe_auc": 0.85,
    "clip_probe_auc": 0.95,
    "text_to_image_recall_at_10": 0.50,
}
"""Least value of each measure that the bundled models must reach."""


@final
@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that was measured, and on what.

    Parameters
    ----------
    seed, n : int
        Of the faces.
    measures : mapping of str to float
        Scalars, by name; `FLOORS` names those that have a floor.
    probe_auc : mapping of str to mapping of str to float
        Held-out AUC by kind of vector and attribute.
    machine : mapping of str to str
        Processor, device and torch version.
    commit : str or None
        Of the code, where it is a git checkout.
    """

    seed: int
    n: int
    measures: Mapping[str, float]
    probe_auc: Mapping[str, Mapping[str, float]]
    machine: Mapping[str, str]
    commit: str | None

    @property
    def missed(self) -> list[str]:
        """Names of the measures below their floor."""
        return [name for name, floor in FLOORS.items() if not self.measures[name] >= floor]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary, floors included."""
        floors = {
            name: {"floor": floor, "is_met": name not in self.missed}
            for name, floor in FLOORS.items()
        }
        return {**asdict(self), "floors": floors}


def evaluate(n: int, *, device: str = "cpu", console: Console | None = None) -> Evaluation:
    """Measure the bundled models.

    Parameters
    ----------
    n : int
        Faces of `EVALUATION_SEED`, at least 1,000.
    device : str
        As `latentdb.spaces.load_model` takes it.
    console : rich.console.Console, optional
        Where progress is shown; standard error where not given.

    Returns
    -------
    Evaluation

    Raises
    ------
    ModelError
        Weights are missing.
    ValueError
        `n` is below the 1,000 that retrieval is measured among.
    """
    if n < RETRIEVAL_POOL:
        raise ValueError(f"evaluate at least {RETRIEVAL_POOL} faces, got n={n}")
    faces = held_out_faces(n)
    with Progress(console=console or Console(stderr=True)) as progress:
        task = progress.add_task("running the models", total=1.0)
        codes = compute_codes(
            faces.pixels,
            device=device,
            report=lambda fraction: progress.update(task, completed=fraction),
        )
    aucs = probe_aucs(codes, faces.attributes)
    recall = retrieval_recall(codes.vectors["clip"], faces.attributes, device=device)
    return Evaluation(
        seed=EVALUATION_SEED,
        n=n,
        measures=_summarise(codes, aucs, recall),
        probe_auc=aucs,
        machine=machine(device),
        commit=commit(),
    )


def _summarise(
    codes: Codes, aucs: Mapping[str, Mapping[str, float]], recall: float
) -> dict[str, float]:
    measures: dict[str, float] = {}
    for name, psnr_db in codes.psnr_db.items():
        measures[f"{name}_psnr_db"] = float(psnr_db.mean())
        measures[f"{name}_psnr_db_lowest"] = float(psnr_db.min())
    for prefix in NOISE_SPACES:
        norms = np.linalg.norm(codes.vectors[f"{prefix}noise"].astype(np.float64), axis=1)
        measures[f"{prefix}noise_norm_mean"] = float(norms.mean())
        measures[f"{prefix}noise_norm_deviation"] = float(norms.std())
    # The chi law's mean and deviation, to leading order in the dimension of every noise here.
    measures["chi_norm_mean"] = float(np.sqrt(codes.vectors["noise"].shape[1] - 0.5))
    measures["chi_norm_deviation"] = float(np.sqrt(0.5))
    for kind, by_attribute in aucs.items():
        measures[f"{kind}_probe_auc"] = float(np.mean(list(by_attribute.values())))
    measures["text_to_image_recall_at_10"] = recall
    return measures


def _table(evaluation: Evaluation) -> Table:
    table = Table(title=f"{evaluation.n} faces of seed {evaluation.seed}, never trained on")
    for heading in ("measure", "value", "floor", ""):
        table.add_column(heading, justify="left" if heading == "measure" else "right")
    for name, value in evaluation.measures.items():
        floor = FLOORS.get(name)
        verdict = "" if floor is None else "missed" if name in evaluation.missed else "met"
        table.add_row(name, f"{value:.3f}", "" if floor is None else f"{floor:g}", verdict)
    return table


def _probe_table(evaluation: Evaluation) -> Table:
    kinds = list(evaluation.probe_auc)
    table = Table(title="held-out AUC of linear probes")
    for heading in ("attribute", *kinds):
        table.add_column(heading, justify="left" if heading == "attribute" else "right")
    for name in evaluation.probe_auc[kinds[0]]:
        table.add_row(name, *(f"{evaluation.probe_auc[kind][name]:.3f}" for kind in kinds))
    return table


def _main(
    n: Annotated[int, typer.Option(min=RETRIEVAL_POOL, help="Faces to evaluate on.")] = 1_500,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:0, …")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON to stdout.")] = False,
    out: Annotated[Path | None, typer.Option(help="File for the figures as JSON.")] = None,
    samples: Annotated[
        Path | None, typer.Option(help="Picture of samples, reconstructions and round trips.")
    ] = None,
    cards: Annotated[
        bool, typer.Option(help="Write the figures into the model cards beside the weights.")
    ] = False,
) -> None:
    """Measure the bundled models on faces they never saw."""
    console = Console(stderr=True)
    evaluation = evaluate(n, device=device, console=console)
    text = json.dumps(evaluation.to_json(), indent=2)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
    if cards:
        write_cards(WEIGHTS, evaluation.to_json())
    if samples is not None:
        save_samples(samples, device=device)
    shown = console if as_json else Console()
    shown.print(_table(evaluation), _probe_table(evaluation))
    if as_json:
        typer.echo(text)
    for name in evaluation.missed:
        value, floor = evaluation.measures[name], FLOORS[name]
        console.print(f"{name} is {value:.3f}, below its floor of {floor:g}")
    raise typer.Exit(1 if evaluation.missed else 0)


if __name__ == "__main__":
    typer.run(_main)
