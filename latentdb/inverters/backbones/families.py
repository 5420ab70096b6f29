"""Which class of this package runs the network of a pipeline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from latentdb.errors import ModelError
from latentdb.inverters.backbones.flux import FluxTransformer
from latentdb.inverters.backbones.network import AbstractNetwork
from latentdb.inverters.backbones.pipeline_folder import PipelineFolder
from latentdb.inverters.backbones.sd3 import Sd3Transformer
from latentdb.inverters.backbones.sdxl import SdxlUnet
from latentdb.inverters.backbones.stable_diffusion import StableDiffusionUnet
from latentdb.inverters.backbones.unconditional import UnconditionalUnet

_TEXT_UNET = "UNet2DConditionModel"
FAMILIES: Mapping[str, type[AbstractNetwork]] = MappingProxyType(
    {
        "UNet2DModel": UnconditionalUnet,
        _TEXT_UNET: StableDiffusionUnet,
        "SD3Transformer2DModel": Sd3Transformer,
        "FluxTransformer2DModel": FluxTransformer,
    }
)
"""By the class that the pipeline's index names; a UNet that is told sizes is SDXL's."""
_OTHER_CONDITIONS = ("class_embed_type", "encoder_hid_dim_type", "num_class_embeds")


def family_of(pipeline: PipelineFolder) -> type[AbstractNetwork]:
    """The family of a pipeline's network.

    Raises
    ------
    ModelError
        The network is of another family.
    """
    part = pipeline.network_part
    class_name = pipeline.class_of(part)
    family = FAMILIES.get(class_name or "")
    if family is None or part not in family.parts:
        raise ModelError(
            f"the {part} of {pipeline.name} is of {class_name}; supported are {', '.join(FAMILIES)}"
        )
    return _text_unet(pipeline) if class_name == _TEXT_UNET else family


def _text_unet(pipeline: PipelineFolder) -> type[AbstractNetwork]:
    """SDXL's, or Stable Diffusion's; one that takes more than text is refused."""
    path = pipeline.folder_of("unet") / "config.json"
    if not path.is_file():
        raise ModelError(f"there is no {path}; download the pipeline again, and whole")
    config = json.loads(path.read_text())
    added = config.get("addition_embed_type")
    asked = {key: config[key] for key in _OTHER_CONDITIONS if config.get(key) is not None}
    if asked or added not in (None, "text_time"):
        raise ModelError(
            f"the unet of {pipeline.name} takes more than text and sizes "
            f"({ {'addition_embed_type': added, **asked} }); supported are those of Stable "
            "Diffusion 1.x, 2.x and SDXL"
        )
    return SdxlUnet if added == "text_time" else StableDiffusionUnet
