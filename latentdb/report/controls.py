"""What probes read from noise, beside what they read from the code it was inverted from.

================  =====================================================================
kind              vectors
================  =====================================================================
``latent``        x0, the clean code of the picture
``leak``          √ᾱ·x0 + √(1−ᾱ)·ε: fresh noise added at the last timestep, not inverted
``noise``         the stored, inverted noise of the same pictures
================  =====================================================================

Schedules that stop short of the last timestep leave signal in what is called noise (0.08·x0 of 50
"leading" steps of Stable Diffusion): what the leak reads above chance is that, and the noise has
to be held against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, final

import numpy as np

from latentdb.arrays import IdArray
from latentdb.directions.probe import PCA_COMPONENTS
from latentdb.errors import ModelError, NotEnoughDataError, SpaceError
from latentdb.held_out import Estimate
from latentdb.leak import leak_control
from latentdb.migrate.pictures import PictureReader
from latentdb.model import Vectors
from latentdb.report.blocks import Cell, Section, Table, auc_heat, estimate
from latentdb.report.probe_fits import SpaceProbes, fit_probes
from latentdb.report.sample import MIN_ITEMS, Sample
from latentdb.report.study import AbstractFindings, Headlines

if TYPE_CHECKING:
    from latentdb.inverters.base import AbstractTrajectoryInverter

Kind = Literal["latent", "leak", "noise"]
_SHOWN: Final[Mapping[Kind, str]] = {
    "latent": "clean code x0",
    "leak": "x0 under fresh noise",
    "noise": "inverted noise",
}
_BATCH: Final = 8


@final
@dataclass(frozen=True, eq=False)
class SpaceControls:
    """Probes of one noise space and its controls, on the same items.

    Parameters
    ----------
    probes : mapping of kind to SpaceProbes
    mean_auc : mapping of kind to Estimate
    alpha_bar : float
        ᾱ at the last timestep: the share of signal in the variance of the leak.
    n, n_thumbnails : int
        Pictures encoded, and how many of these were thumbnails of larger ones that are gone.
    """

    probes: Mapping[Kind, SpaceProbes]
    mean_auc: Mapping[Kind, Estimate]
    alpha_bar: float
    n: int
    n_thumbnails: int

    def to_json(self) -> dict[str, Any]:
        """AUC by kind and attribute."""
        return {
            "n": self.n,
            "n_thumbnails": self.n_thumbnails,
            "alpha_bar_last": self.alpha_bar,
            "kinds": {
                kind: {
                    "mean_auc": self.mean_auc[kind].to_json(),
                    "attributes": {
                        name: one.score.to_json() for name, one in probes.by_attribute.items()
                    },
                }
                for kind, probes in self.probes.items()
            },
        }


@final
@dataclass(frozen=True, eq=False)
class Controls(AbstractFindings):
    """Controls of every noise space whose model is at hand."""

    spaces: Mapping[str, SpaceControls]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Controls by space."""
        return {"spaces": {name: one.to_json() for name, one in self.spaces.items()}}

    def headlines(self) -> Headlines:
        """Mean AUC of the clean code and of the leak."""
        return {
            "AUC of x0": {
                name: Cell(
                    f"{one.mean_auc['latent'].value:.3f}",
                    note=f"leak {one.mean_auc['leak'].value:.3f}",
                )
                for name, one in self.spaces.items()
            }
        }

    def section(self) -> Section:
        """A table for each space."""
        return Section(
            lead=(
                "Does noise speak of a picture because inversion wrote it there, or because the "
                "schedule left some of the picture in? The same probes on the clean code x0 that "
                "was inverted, on x0 under fresh noise at the last timestep (the leak: all that "
                "is left without inversion), and on the inverted noise of the same items."
            ),
            blocks=[_table(name, one) for name, one in self.spaces.items()],
            notes=self.notes,
        )


def _table(name: str, one: SpaceControls) -> Table:
    rows = []
    for attribute in one.probes["noise"].by_attribute:
        aucs = [one.probes[kind].by_attribute[attribute].score.auc for kind in _SHOWN]
        rows.append([Cell(attribute), *(estimate(auc, heat=auc_heat(auc.value)) for auc in aucs)])
    means = [one.mean_auc[kind] for kind in _SHOWN]
    rows.append([Cell("mean"), *(estimate(auc, heat=auc_heat(auc.value)) for auc in means)])
    return Table(
        ["attribute", *_SHOWN.values()],
        rows,
        caption=(
            f"{name}: held-out AUC, {one.n:,} items. The last timestep keeps "
            f"{np.sqrt(one.alpha_bar):.2g} of x0."
        ),
    )


def study_controls(sample: Sample) -> Controls:
    """Controls of every noise space with a model that inverts along a schedule.

    Raises
    ------
    NotEnoughDataError
        There is no attribute, no such space, or of too few items a picture.
    """
    sample.require_attributes()
    found, notes = {}, sample.left_out(kind="noise")
    for name in sample.having(kind="noise"):
        try:
            found[name] = _study(sample, name)
        except (ModelError, SpaceError, NotEnoughDataError) as error:
            notes.append(f"{name} is left out: {error}")
    if not found:
        raise NotEnoughDataError(" ".join(notes))
    return Controls(found, tuple(notes))


def _study(sample: Sample, name: str) -> SpaceControls:
    model = _inverter(sample, name)
    rows = sample.rows(name)
    rng = sample.rng("controls", name)
    chosen = np.sort(rng.permutation(rows.ids)[: sample.plan.controls])
    ids, latents, n_thumbnails = encode_items(sample, model, chosen)
    alpha_bar = model.grid.levels[-1].alpha_bar
    kinds: dict[Kind, Vectors] = {
        "latent": latents,
        "leak": leak_control(latents, alpha_bar, rng=rng),
        "noise": rows.vectors[np.searchsorted(rows.ids, ids)],
    }
    probes = {
        kind: fit_probes(
            vectors,
            sample.attributes,
            ids=ids,
            n_components=PCA_COMPONENTS["noise"],
            seed=sample.seed,
        )
        for kind, vectors in kinds.items()
    }
    means = {kind: one.mean_auc(seed=sample.seed) for kind, one in probes.items()}
    return SpaceControls(probes, means, alpha_bar, len(ids), n_thumbnails)


def _inverter(sample: Sample, name: str) -> AbstractTrajectoryInverter:
    """The model of a noise space; ModelError where it does not invert along a schedule."""
    model = sample.catalog.models.get(name)
    from latentdb.inverters.base import AbstractTrajectoryInverter

    if not isinstance(model, AbstractTrajectoryInverter):
        raise ModelError(f"the model of {name} does not invert clean codes along a schedule")
    return model


def encode_items(
    sample: Sample, model: AbstractTrajectoryInverter, ids: IdArray
) -> tuple[IdArray, Vectors, int]:
    """Clean codes of those of `ids` of which there is a picture.

    Returns
    -------
    ids : (n,) int64
        Sorted.
    latents : (n, dim) float32
    n_thumbnails : int
        Of pictures that were larger than what is left of them.

    Raises
    ------
    NotEnoughDataError
        Fewer than 100 have one.
    """
    reader = PictureReader(sample.catalog.store, model.transform, workers=0)
    with closing(reader.read(ids)) as pictures:
        found = [one for one in pictures if one.pixels is not None]
    if len(found) < MIN_ITEMS:
        raise NotEnoughDataError(
            f"pictures of {len(found)} of {len(ids)} items can be read; {MIN_ITEMS} are needed"
        )
    found.sort(key=lambda one: one.id)
    pixels = [one.pixels for one in found if one.pixels is not None]
    parts = [
        model.encode(np.stack(pixels[start : start + _BATCH]))
        for start in range(0, len(pixels), _BATCH)
    ]
    kept = np.array([one.id for one in found], np.int64)
    n_thumbnails = sum(one.origin == "thumbnail" for one in found)
    return kept, np.concatenate(parts), n_thumbnails
