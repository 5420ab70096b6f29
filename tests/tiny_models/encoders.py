"""Tiny random models of the real classes, saved to disk in the layout of their hub."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from latentdb.torch_compat import torch

SIZE = 32


def save_open_clip(folder: Path, *, seed: int = 0) -> Path:
    """A CLIP of 16 dimensions, with a truncated BPE file of its own beside it."""
    import open_clip
    from open_clip.tokenizer import default_bpe
    from safetensors.torch import save_file

    folder.mkdir()
    with gzip.open(default_bpe(), "rt", encoding="utf-8") as full:
        lines = [next(full) for _ in range(301)]
    with gzip.open(folder / "bpe_tiny.txt.gz", "wt", encoding="utf-8") as short:
        short.write("".join(lines).rstrip("\n"))
    text = {"context_length": 12, "vocab_size": 512 + 300 + 2, "width": 32, "heads": 2, "layers": 1}
    config = {
        "model_cfg": {
            "embed_dim": 16,
            "vision_cfg": {
                "image_size": SIZE,
                "layers": 1,
                "width": 32,
                "head_width": 16,
                "patch_size": 8,
            },
            "text_cfg": {**text, "tokenizer_kwargs": {"bpe_path": "bpe_tiny.txt.gz"}},
        },
        "preprocess_cfg": {
            "mean": [0.4, 0.5, 0.6],
            "std": [0.2, 0.25, 0.3],
            "interpolation": "bilinear",
        },
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}")
    save_file(
        {key: value.clone() for key, value in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    return folder


def save_timm(folder: Path, *, seed: int = 0) -> Path:
    """A vision transformer of 24 dimensions, by timm's own function for the hub."""
    import timm
    from timm.models import save_for_hf

    shape = {"img_size": SIZE, "patch_size": 8, "depth": 1, "embed_dim": 24, "num_heads": 2}
    torch.manual_seed(seed)
    model = timm.create_model("vit_tiny_patch16_224", num_classes=0, **shape)
    overlay = {"input_size": (3, SIZE, SIZE), "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
    model.pretrained_cfg = {**model.pretrained_cfg, **overlay}
    save_for_hf(model, folder, model_args=shape, safe_serialization=True)
    return folder


def save_dinov2(folder: Path) -> Path:
    """A DINOv2 of 20 dimensions, with the image processor of the real ones."""
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    shape = {"hidden_size": 20, "num_hidden_layers": 1, "num_attention_heads": 2}
    Dinov2Model(Dinov2Config(**shape, image_size=SIZE, patch_size=8)).save_pretrained(folder)
    BitImageProcessor(
        size={"shortest_edge": SIZE + 8}, crop_size={"height": SIZE, "width": SIZE}
    ).save_pretrained(folder)
    return folder


def save_clip_vision(folder: Path) -> Path:
    """A two-tower CLIP of transformers, whose vision tower has 28 dimensions."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    torch.manual_seed(0)
    shape = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = CLIPConfig(
        text_config={**shape, "hidden_size": 16, "vocab_size": 64},
        vision_config={**shape, "hidden_size": 28, "image_size": SIZE, "patch_size": 8},
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}
    ).save_pretrained(folder)
    return folder
