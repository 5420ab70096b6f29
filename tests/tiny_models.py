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


def save_unconditional(folder: Path, *, prediction: str = "v_prediction", seed: int = 0) -> Path:
    """An unconditional latent diffusion model: 4×8×8 codes of 32 pixels."""
    from diffusers import AutoencoderTiny, DDIMScheduler, UNet2DModel

    torch.manual_seed(seed)
    stages = {"block_out_channels": (8, 8), "layers_per_block": 1, "norm_num_groups": 4}
    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    unet = UNet2DModel(sample_size=8, in_channels=4, out_channels=4, **stages, **blocks)
    vae = AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
        scaling_factor=0.8,
    )
    schedule = DDIMScheduler(
        beta_schedule="squaredcos_cap_v2", prediction_type=prediction, clip_sample=False
    )
    for part, model in (("unet", unet), ("vae", vae), ("scheduler", schedule)):
        model.save_pretrained(folder / part)
    # diffusers derives this key while building and warns about it while loading.
    config = json.loads((folder / "vae" / "config.json").read_text())
    del config["block_out_channels"]
    (folder / "vae" / "config.json").write_text(json.dumps(config))
    names = {
        "scheduler": "DDIMScheduler",
        "unet": "UNet2DModel",
        "vae": "AutoencoderTiny",
    }
    index = {part: ["diffusers", name] for part, name in names.items()}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def save_stable_diffusion(folder: Path) -> Path:
    """Stable Diffusion in miniature, by the real pipeline class and with its real scheduler."""
    from diffusers import (
        AutoencoderKL,
        PNDMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    shape = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    encoder = CLIPTextModel(CLIPTextConfig(**shape, hidden_size=16, vocab_size=64))
    stages = {"block_out_channels": (8, 8), "layers_per_block": 1, "norm_num_groups": 4}
    StableDiffusionPipeline(
        vae=AutoencoderKL(
            **stages,
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4,
        ),
        text_encoder=encoder,
        tokenizer=_clip_tokenizer(folder.with_name("tokenizer_source")),
        unet=UNet2DConditionModel(
            **stages,
            sample_size=16,
            cross_attention_dim=16,
            attention_head_dim=4,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        ),
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            skip_prk_steps=True,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


def _clip_tokenizer(folder: Path) -> object:
    """A CLIP tokenizer that knows single letters."""
    from transformers import CLIPTokenizer

    folder.mkdir()
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77
    )
