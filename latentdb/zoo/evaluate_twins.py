"""`python -m latentdb.zoo.evaluate_twins`: how well the four denoisers know codes never seen.

One set of codes and one set of noise for all four, at the same shares of noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from latentdb.torch_compat import torch  # before what imports torchvision

# isort: split
import diffusers
import typer
from rich.console import Console
from rich.table import Table

from latentdb.affine import Level
from latentdb.zoo.cards import FLOW_TIMES, TWIN_CARDS, write_cards
from latentdb.zoo.denoising import Recipe, codes_of, denoising_error
from latentdb.zoo.faces import EVALUATION_SEED
from latentdb.zoo.measures import held_out_faces
from latentdb.zoo.provenance import commit, machine
from latentdb.zoo.train_twins import MODELS, RECIPES, twin_folder
from latentdb.zoo.training import WEIGHTS

_BATCH: Final = 50


def velocity_errors(
    recipe: Recipe, unet: Any, *, codes: torch.Tensor, epsilon: torch.Tensor
) -> dict[float, float]:
    """Mean squared error of the velocity that a network predicts, by flow time.

    A predicted ε counts as the velocity it implies in y = u/(a + b), where every schedule is flow
    matching: its error is divided by (1−τ)². So all networks are compared in one unit.

    Parameters
    ----------
    recipe : Recipe
        Predicts epsilon or velocity.
    unet : diffusers.UNet2DModel
    codes, epsilon : (n, 4, 16, 16) float32
        Scaled codes and their noise. Not modified.

    Returns
    -------
    dict of float to float
        By each of `FLOW_TIMES`, at the timestep nearest to it.
    """
    levels = {time: _nearest_level(recipe, time) for time in FLOW_TIMES}
    return {
        time: _error(recipe, unet, level, codes=codes, epsilon=epsilon)
        for time, level in levels.items()
    }


def _nearest_level(recipe: Recipe, flow_time: float) -> Level:
    levels = (recipe.level(timestep) for timestep in range(1000))
    return min(levels, key=lambda level: abs(level.flow_time - flow_time))


@torch.inference_mode()
def _error(
    recipe: Recipe, unet: Any, level: Level, *, codes: torch.Tensor, epsilon: torch.Tensor
) -> float:
    total = 0.0
    for start in range(0, len(codes), _BATCH):
        x0, noise = codes[start : start + _BATCH], epsilon[start : start + _BATCH]
        error = denoising_error(unet, recipe, x0=x0, epsilon=noise, levels=[level] * len(x0))
        total += float(error) * len(x0)
    unit = 1.0 if recipe.prediction == "velocity" else (1 - level.flow_time) ** 2
    return total / len(codes) / unit


def evaluate_twins(n: int, *, device: str) -> dict[str, dict[float, float]]:
    """`velocity_errors` of the four on held-out faces, by name.

    Raises
    ------
    OSError
        A twin's folder is not there.
    """
    codes = codes_of(held_out_faces(n).pixels, WEIGHTS, device=device)
    generator = torch.Generator(device).manual_seed(EVALUATION_SEED)
    epsilon = torch.randn(codes.shape, generator=generator, device=device)
    architecture: Any = diffusers.UNet2DModel
    found = {}
    for name, recipe in RECIPES.items():
        folder = twin_folder(name, WEIGHTS) / "unet"
        unet = architecture.from_pretrained(folder, torch_dtype=torch.float32).to(device)
        found[name] = velocity_errors(recipe, unet, codes=codes, epsilon=epsilon)
    return found


def _table(errors: Mapping[str, Mapping[float, float]]) -> Table:
    table = Table(title="squared error of the velocity, by share of noise τ")
    table.add_column("twin")
    for time in FLOW_TIMES:
        table.add_column(f"{time:g}", justify="right")
    for name, by_time in errors.items():
        table.add_row(name, *(f"{error:.3f}" for error in by_time.values()))
    return table


def _main(
    n: Annotated[int, typer.Option(min=1, help="Faces to evaluate on.")] = 1_000,
    device: Annotated[str, typer.Option(help="As torch names it: cpu, cuda.")] = "cpu",
    cards: Annotated[
        bool, typer.Option(help="Write the figures into the cards of those outside the package.")
    ] = False,
) -> None:
    """Compare the four denoisers on faces they never saw."""
    errors = evaluate_twins(n, device=device)
    Console().print(_table(errors))
    if not cards:
        return
    measures = {
        f"{name}_error_at_{time:g}": error
        for name, by_time in errors.items()
        for time, error in by_time.items()
    }
    about = {"seed": EVALUATION_SEED, "n": n, "machine": machine(device), "commit": commit()}
    write_cards(MODELS, {**about, "measures": measures, "probe_auc": {}}, cards=TWIN_CARDS)


if __name__ == "__main__":
    typer.run(_main)
