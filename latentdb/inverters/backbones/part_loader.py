"""Reading the networks, encoders and tokenizers of a pipeline from its folder."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

from latentdb.errors import ModelError
from latentdb.inverters.backbones.pipeline_folder import PipelineFolder
from latentdb.inverters.backbones.speed import tune_network
from latentdb.inverters.options import DiffusersOptions
from latentdb.torch_compat import torch, torch_dtype
from latentdb.weights import require_tokenizer, require_weights, without_progress_bars


@final
@dataclass(frozen=True)
class PartLoader:
    """Loads parts of one pipeline, to one device.

    Parameters
    ----------
    pipeline : PipelineFolder
        Where they are.
    device : torch.device
    options : DiffusersOptions
        Of these, the dtype and those of speed.
    """

    pipeline: PipelineFolder
    device: torch.device
    options: DiffusersOptions

    @property
    def dtype(self) -> torch.dtype:
        """What networks compute in."""
        return torch_dtype(self.options.dtype)

    def network(self, part: str) -> Any:
        """The denoising network, of the class that the index names."""
        class_name = self.pipeline.class_of(part)
        folder = self.pipeline.folder_of(part)
        network = load_network(folder, str(class_name), device=self.device, dtype=self.dtype)
        tune_network(network, self.options)
        return network

    def text_encoder(self, part: str) -> Any:
        """A text encoder of transformers, or None where the pipeline goes without it."""
        return self._of_transformers(part, is_encoder=True)

    def tokenizer(self, part: str) -> Any:
        """A tokenizer of transformers, or None where the pipeline goes without it."""
        return self._of_transformers(part, is_encoder=False)

    def _of_transformers(self, part: str, *, is_encoder: bool) -> Any:
        class_name = self.pipeline.class_of(part)
        if class_name is None:
            return None
        import transformers

        library: Any = transformers
        folder = self.pipeline.folder_of(part)
        if not is_encoder:
            require_tokenizer(folder)
            return getattr(library, class_name).from_pretrained(folder)
        require_weights(folder, ("model", "pytorch_model"))
        with without_progress_bars("transformers"):
            encoder, found = getattr(library, class_name).from_pretrained(
                folder, dtype=self.dtype, output_loading_info=True
            )
        _require_whole(folder, class_name, found["missing_keys"])
        return encoder.eval().requires_grad_(False).to(self.device)


def load_network(folder: Path, class_name: str, *, device: torch.device, dtype: torch.dtype) -> Any:
    """A network of diffusers, frozen, on its device.

    Raises
    ------
    ModelError
        This diffusers has no such class, or the folder holds no weights that can be read.
    """
    import diffusers

    require_weights(folder, ("diffusion_pytorch_model",))
    network_class = getattr(diffusers, class_name, None)
    if network_class is None:
        raise ModelError(
            f"{folder} is of {class_name}, which diffusers {diffusers.__version__} does not have; "
            "pip install -U diffusers"
        )
    # Asked for where it cannot be had, it is warned of with advice to install accelerate.
    frugal = find_spec("accelerate") is not None
    with without_progress_bars("diffusers"):
        network, found = network_class.from_pretrained(
            folder,
            torch_dtype=dtype,
            low_cpu_mem_usage=frugal,
            local_files_only=True,
            output_loading_info=True,
        )
    _require_whole(folder, class_name, found["missing_keys"])
    return network.eval().requires_grad_(False).to(device)


def _require_whole(folder: Path, class_name: str, missing: Collection[str]) -> None:
    """Raise where a library only warns, and makes up the weights that it did not find."""
    if missing:
        raise ModelError(
            f"the weights in {folder} are not of a whole {class_name}: {len(missing)} are missing, "
            f"such as {min(missing)}; download them again, or correct the class or the config"
        )
