"""Which class of this package runs the network of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from latentdb.errors import ModelError
from latentdb.inverters.backbones.network import AbstractNetwork
from latentdb.inverters.backbones.pipeline_folder import PipelineFolder
from latentdb.inverters.backbones.stable_diffusion import StableDiffusionUnet
from latentdb.inverters.backbones.unconditional import UnconditionalUnet

FAMILIES: Mapping[str, type[AbstractNetwork]] = MappingProxyType(
    {
        "UNet2DModel": UnconditionalUnet,
        "UNet2DConditionModel": StableDiffusionUnet,
    }
)
"""By the class that the pipeline's index names; a UNet with pooled text is SDXL's."""


def family_of(pipeline: PipelineFolder) -> type[AbstractNetwork]:
    """The family of a pipeline's network.

    Raises
    ------
    ModelError
        The network is of another family.
    """
    part = pipeline.network_part
    class_name = pipeline.class_of(part)
    if class_name not in FAMILIES:
        raise ModelError(
            f"the {part} of {pipeline.name} is of {class_name}; supported are {', '.join(FAMILIES)}"
        )
    return FAMILIES[class_name]
