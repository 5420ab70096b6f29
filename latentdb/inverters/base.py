"""What every inverter over a noise schedule shares: encode, invert, judge, decode."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from indexers.errors import DimensionError, DtypeError, NonFiniteError, ParameterError
from latentdb.geometry.marginal_energy import noise_level
from latentdb.inverters.backbone import AbstractBackbone
from latentdb.inverters.forward_start import ForwardStart
from latentdb.inverters.grid import Grid
from latentdb.inverters.options import DiffusersOptions
from latentdb.inverters.quality import QUALITY, norm_z, psnr, sv_excess
from latentdb.model import AbstractInverter, Embedded, Pixels, Transform, Vectors
from latentdb.space import Setting, Space
from latentdb.tensors import as_vectors, require_pixels
from latentdb.torch_compat import torch


class AbstractTrajectoryInverter(AbstractInverter):
    """Inversion along a grid of noise levels; a subclass says how one trajectory is walked.

    Parameters
    ----------
    backbone : AbstractBackbone
        The diffusion model.
    options : DiffusersOptions
        Steps, spacing and the rest.
    name, spec : str
        The space's name, and the spec that makes this model again.

    Raises
    ------
    ModelError
        The options do not fit the model's schedule.
    """

    def __init__(
        self, backbone: AbstractBackbone, options: DiffusersOptions, *, name: str, spec: str
    ) -> None:
        self._backbone = backbone
        self._options = options
        self._grid = backbone.schedule.grid(options.steps, options.spacing, options.last_timestep)
        self._forward = ForwardStart.of(options.forward_start, options.steps)
        self._space = Space(
            name=name,
            kind="noise",
            dim=int(np.prod(self.latent_shape)),
            spec=spec,
            settings={
                **backbone.settings(),
                **self._grid_settings(),
                **self._own_settings(),
                **self._forward.settings(),
            },
            dtype=options.store,
            quality=QUALITY,
        )

    @property
    def space(self) -> Space:
        """The space, with every setting that moves a vector."""
        return self._space

    @property
    def transform(self) -> Transform:
        """Preprocessing that `embed` expects to have been applied."""
        return self._backbone.transform

    @property
    def grid(self) -> Grid:
        """The levels that a trajectory visits."""
        return self._grid

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a state, which a vector holds flat.

        Those of a code, where a state is no more than that.
        """
        return self._backbone.latent_shape

    @abstractmethod
    def _own_settings(self) -> dict[str, Setting]:
        """Settings of this kind of inversion."""

    @abstractmethod
    def _climb(
        self, states: torch.Tensor, start: int, stop: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """States at level `stop` from those at `start` below it, and each row's residual (n,).

        The residual is NaN where there is none.
        """

    def _descend(self, states: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """States at level `stop` that sampling leads to from those at `start` above it.

        Deterministic DDIM, where a subclass does not say otherwise.
        """
        x = states
        for step in reversed(range(stop, start)):
            output = self._backbone.predict(x, self._grid.levels[step + 1].timestep)
            x = self._grid.denoise(step, x, output)
        return x

    def _enter(self, codes: torch.Tensor, level: int) -> torch.Tensor:  # noqa: ARG002 - for pairs
        """States of the trajectories through `codes` at a level: the codes, or more than them."""
        return codes

    def _leave(self, states: torch.Tensor) -> torch.Tensor:
        """Codes of states: what `_enter` was given."""
        return states

    def embed(self, pixels: Pixels) -> Embedded:
        """Noise (n, dim) of a batch of pictures (n, size, size, 3) uint8, not modified.

        The quality columns are of the noise alone, where a vector holds more than that.
        """
        require_pixels(pixels, self.transform.size)
        if len(pixels) == 0:
            empty = np.empty(0, np.float32)
            return Embedded(
                np.empty((0, self._space.dim), np.float32), dict.fromkeys(QUALITY, empty)
            )
        with torch.inference_mode():
            latents = self._backbone.encode(pixels)
            states, residual = self._rise(latents, self._grid.steps)
            vectors = as_vectors(states, self._space.name)
            noise = self._leave(states)
            columns = {
                "residual": residual,
                "psnr": self._round_trip(latents, states),
                "norm_z": norm_z(noise),
                "sv_excess": sv_excess(noise),
                "noise_level": self._noise_level(latents, noise),
            }
        return Embedded(vectors, {name: _column(values) for name, values in columns.items()})

    def encode(self, pixels: Pixels) -> Vectors:
        """Clean codes (n, dim) of pictures (n, size, size, 3) uint8: where inversion begins."""
        require_pixels(pixels, self.transform.size)
        if len(pixels) == 0:
            return np.empty((0, self._space.dim), np.float32)
        with torch.inference_mode():
            return as_vectors(self._enter(self._backbone.encode(pixels), 0), self._space.name)

    def decode(self, noise: Vectors) -> Pixels:
        """Pictures (n, size, size, 3) uint8 generated from `noise` (n, dim), not modified.

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError
            `noise` is not (n, dim) of finite float32.
        """
        return self.decode_from(noise, self._grid.steps)

    def decode_from(self, states: Vectors, level: int) -> Pixels:
        """Pictures (n, size, size, 3) uint8 that sampling goes on to from states at a level.

        Parameters
        ----------
        states : (n, dim) float32
            Not modified; noise where `level` is the last, clean codes where it is 0.
        level : int
            0 to `grid.steps`.

        Raises
        ------
        ParameterError
            There is no such level.
        DimensionError, DtypeError, NonFiniteError
            `states` is not (n, dim) of finite float32.
        """
        x = self._states(states, level)
        if len(x) == 0:
            return np.empty((0, self.transform.size, self.transform.size, 3), np.uint8)
        with torch.inference_mode():
            pictures = self._backbone.decode(self._leave(self._descend(x, level, 0)))
            rounded = (pictures * 255.0).round().to(torch.uint8).permute(0, 2, 3, 1)
        return rounded.cpu().contiguous().numpy()

    def follow(self, states: Vectors, *, start: int, stop: int) -> Vectors:
        """States at level `stop` of the trajectories that lead through `states` at `start`.

        Parameters
        ----------
        states : (n, dim) float32
            Not modified.
        start, stop : int
            Levels, 0 the clean code and `grid.steps` the noise: to a cleaner one by sampling,
            to a noisier one by inversion.

        Returns
        -------
        (n, dim) float32

        Raises
        ------
        ParameterError, DimensionError, DtypeError, NonFiniteError
            As `decode_from`.
        ModelError
            The network gave NaN or infinity.
        """
        x = self._states(states, start)
        self._require_level(stop)
        if len(x) == 0 or start == stop:
            return states.copy()
        with torch.inference_mode():
            if stop < start:
                reached = self._descend(x, start, stop)
            elif start == 0 and self._forward.level:
                reached, _ = self._rise(self._leave(x), stop)
            else:
                reached, _ = self._climb(x, start, stop)
        return as_vectors(reached, self._space.name)

    def _states(self, states: Vectors, level: int) -> torch.Tensor:
        """Checked states as (n, channels, height, width) on the model's device."""
        self._require_level(level)
        self._require_noise(states)
        flat = torch.from_numpy(states.copy()).to(self._backbone.device)
        return flat.view(-1, *self.latent_shape)

    def _rise(self, codes: torch.Tensor, stop: int) -> tuple[torch.Tensor, torch.Tensor]:
        """States at level `stop` above clean codes, and each row's residual (n,)."""
        first = min(self._forward.level, stop)
        if first:
            codes = self._forward.diffuse(codes, self._grid.levels[first])
        return self._climb(self._enter(codes, first), first, stop)

    def _round_trip(self, latents: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        """PSNR (n,) of latents → noise → picture against latents → picture, NaN if not asked."""
        if not self._options.psnr:
            return torch.full((len(latents),), torch.nan)
        back = self._leave(self._descend(states, self._grid.steps, 0))
        return psnr(self._backbone.decode(back), self._backbone.decode(latents))

    def _noise_level(self, latents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Flow time (n,) at which each row seems to lie, given its own clean code."""
        clean, rows = (x.flatten(1).cpu().numpy() for x in (latents, noise))
        return torch.from_numpy(noise_level(clean, rows, self._grid.levels).flow_times)

    def _grid_settings(self) -> dict[str, Setting]:
        last = self._grid.levels[-1]
        return {
            "steps": self._options.steps,
            "spacing": self._options.spacing,
            "last_timestep": last.timestep,
            "alpha_bar_last": float(f"{last.alpha_bar:.6g}"),
            "prediction": self._grid.prediction,
        }

    def _require_level(self, level: int) -> None:
        if not 0 <= level <= self._grid.steps:
            raise ParameterError(
                f"a trajectory of space {self._space.name!r} has levels 0 to {self._grid.steps}, "
                f"got {level}"
            )

    def _require_noise(self, noise: Vectors) -> None:
        name, dim = self._space.name, self._space.dim
        if noise.ndim != 2 or noise.shape[1] != dim:
            raise DimensionError(
                f"noise of space {name!r} has shape (n, {dim}), got {noise.shape}; pass vectors "
                "of that space, or stitch them into it"
            )
        if noise.dtype != np.float32:
            raise DtypeError(f"noise of space {name!r} is float32, got {noise.dtype}")
        if not np.isfinite(noise).all():
            raise NonFiniteError(f"noise for space {name!r} holds NaN or infinity")


def _column(values: torch.Tensor) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """One quality column (n,) float32."""
    return values.detach().float().cpu().numpy()
