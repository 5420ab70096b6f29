"""Model cards: what a bundled model is, what it was trained on, and what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

FLOW_TIMES: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.95)
"""Shares of noise at which the twins are compared."""

_SHARED: Final = """\
## Data

Drawn faces of `latentdb.zoo.faces`, 64×64 RGB, twelve binary attributes and a caption: 32,000 of
seed 0 for training. Figures below are of seed {seed}, which training never saw. The pictures are
drawings made by this project's own program; no photograph and no person's likeness was used.

## Measured, on {n} held-out faces

| measure | value |
|---|---|
{rows}

Measured by `{command}` at commit {commit}, {machine}.

## Limits

Knows drawn faces of this one style and nothing else: on photographs its vectors are hardly more
than a summary of colour and layout. It is here so that everything runs without a download, and
as a small model of the same class as the big ones; for real pictures name a real model.

## Licence

Apache-2.0, weights included.
"""

_TWIN: Final = """\
Diffusers' layout, without an autoencoder: the codes are those of the bundled `faces-diffusion`.
`unet/` is a `UNet2DModel` (48, 64, 96 channels, 2.0 million weights, 4.1 MB) that predicts
{predicted}.
It is {told}.

One of four twins that share architecture, codes, batches, seed and budget; the fourth, blind to
its noise and predicting the velocity, comes with the package as `faces-blind`. This one does not:

    {name}=diffusers:models/faces-twins/{name}?vae=latentdb/zoo/weights/faces-diffusion

Trained by `python -m latentdb.zoo.train twins`: 5,500 steps of 32 codes, timesteps uniform, AdamW,
cosine schedule, averaged weights, bfloat16 autocast; {minutes} minutes on one thread of a shared
CPU. Weights are stored as float16.

`error_at_τ` is the mean squared error of the predicted velocity ε − x0 at a share of noise τ; a
predicted ε counts as the velocity it implies, which divides its error by (1−τ)². docs/zoo.md
compares the four."""
_VELOCITY: Final = "the velocity ε − x0 of flow matching, τ uniform in (0, 1)"
_EPSILON: Final = "ε on DDPM's linear schedule of 1,000 timesteps"
_TOLD: Final = "told the timestep"
_BLIND: Final = (
    'called with timestep 0 at every level (`"noise_conditioned": false` in `model_index.json`)'
)


@final
@dataclass(frozen=True, slots=True)
class Card:
    """What stands in a model's card beside its figures.

    Parameters
    ----------
    folder : str
        Of the model, below the one that the cards are written to.
    title, text : str
        Markdown.
    measures : tuple of str
        Names of its scalar figures.
    probed : tuple of str
        Kinds of vector whose AUC is shown by attribute.
    command : str
        What measured them.
    """

    folder: str
    title: str
    text: str
    measures: tuple[str, ...]
    probed: tuple[str, ...] = ()
    command: str = "python -m latentdb.zoo.evaluate"


BUNDLED_CARDS: Final = (
    Card(
        "faces-diffusion",
        "faces-diffusion: an autoencoder and a diffusion model of drawn faces",
        """\
Diffusers' layout. `vae/` is an `AutoencoderTiny` (48 channels, 64×64×3 to a 4×16×16 latent, codes
held near unit deviation and zero mean, so `scaling_factor` is close to 1 and nothing is
subtracted). `unet/` is a `UNet2DModel` (64, 96, 128 channels, 3.9 million weights) that predicts v
on a squared-cosine schedule of 1,000 timesteps. Inverted noise has 1,024 dimensions.

Trained by `python -m latentdb.zoo.train autoencoder` (squared error plus a little absolute error
of pixel differences, noise of deviation 0.05 on the code) and `... diffusion`; AdamW, cosine
schedule, averaged weights, bfloat16 autocast, on one thread of a shared CPU: 9 minutes (2,010 steps
of 16 faces) and 44 minutes (4,961 steps of 32). Weights are stored as float16.

The round trip is that of 20 fixed-point steps, accelerated, each of at most 10 network calls. Its
mean hides a tail: the table gives the lowest. The option `psnr=true` measures each row's round
trip, and rows can be filtered on it.""",
        (
            "autoencoder_psnr_db",
            "autoencoder_psnr_db_lowest",
            "round_trip_psnr_db",
            "round_trip_psnr_db_lowest",
            "noise_norm_mean",
            "noise_norm_deviation",
            "chi_norm_mean",
            "chi_norm_deviation",
            "latent_probe_auc",
            "leak_control_probe_auc",
            "noise_probe_auc",
        ),
        ("latent", "leak_control", "noise"),
    ),
    Card(
        "faces-blind",
        "faces-blind: a diffusion model of drawn faces that is never told the noise level",
        """\
Diffusers' layout, without an autoencoder: the codes are those of `faces-diffusion`. `unet/` is a
`UNet2DModel` (48, 64, 96 channels, 2.0 million weights, 4.1 MB) that predicts the velocity ε − x0
of flow matching. It is called with timestep 0 at every level, in training as in use
(`"noise_conditioned": false` in `model_index.json`), and reads how noisy a code is off the code:
"The Geometry of Noise" (2602.18428) says why that can work. Inverted noise has 1,024 dimensions.

Trained by `python -m latentdb.zoo.train twins`: 5,500 steps of 32 codes, times uniform, AdamW,
cosine schedule, averaged weights, bfloat16 autocast; 22 minutes on one thread of a shared
CPU. Weights are stored as float16.

Three twins of the same architecture and training lie outside the package, in `models/faces-twins`;
docs/zoo.md compares the four. The round trip is that of 20 fixed-point steps, accelerated: 27
network calls a face, and 20 back.""",
        (
            "blind_round_trip_psnr_db",
            "blind_round_trip_psnr_db_lowest",
            "blind_noise_norm_mean",
            "blind_noise_norm_deviation",
            "chi_norm_mean",
            "chi_norm_deviation",
            "latent_probe_auc",
            "blind_leak_control_probe_auc",
            "blind_noise_probe_auc",
        ),
        ("latent", "blind_leak_control", "blind_noise"),
    ),
    Card(
        "faces-clip",
        "faces-clip: a small CLIP of drawn faces and their captions",
        """\
open_clip's layout: a ResNet tower (width 24) and a text transformer (width 128, 3 layers, 48
tokens) into 256 dimensions, 4.2 million weights. The tokenizer is CLIP's own with its first 2,000
merges (`bpe_simple_vocab_2k.txt.gz`), so any text can be read, though few words mean something
to it: those of the captions ("glasses", "a smiling face with a hat", "a face without a beard").

Trained by `python -m latentdb.zoo.train clip` on whole captions and on partial ones; every pair of
a caption and a face that it is true of counts as positive. 31 minutes on one thread of a shared
CPU (1,572 steps of 128 pairs). Weights are stored as float16.""",
        ("clip_probe_auc", "text_to_image_recall_at_10"),
        ("clip",),
    ),
    Card(
        "faces-ssl",
        "faces-ssl: a small self-supervised ResNet of drawn faces",
        """\
timm's layout: `resnet10t` with 32, 64, 128 and 256 channels, 256 pooled features. Trained by
`python -m latentdb.zoo.train ssl` by SimCLR (crops, flips, brightness, contrast, saturation, hue);
neither labels nor captions were used. 12 minutes on one thread of a shared CPU (862 steps of 96
faces). Weights are stored as float16.""",
        ("ssl_probe_auc",),
        ("ssl",),
    ),
)


def _twin(name: str, predicted: str, *, told: str, minutes: int) -> Card:
    return Card(
        f"faces-twins/{name}",
        f"faces-twins/{name}: a diffusion model of drawn faces, to be compared with its twins",
        _TWIN.format(name=name, predicted=predicted, told=told, minutes=minutes),
        tuple(f"{name}_error_at_{time:g}" for time in FLOW_TIMES),
        command="python -m latentdb.zoo.evaluate_twins",
    )


TWIN_CARDS: Final = (
    _twin("epsilon", _EPSILON, told=_TOLD, minutes=19),
    _twin("blind-epsilon", _EPSILON, told=_BLIND, minutes=19),
    _twin("velocity", _VELOCITY, told=_TOLD, minutes=19),
)


def write_cards(
    folder: Path, evaluation: Mapping[str, Any], *, cards: Sequence[Card] = BUNDLED_CARDS
) -> None:
    """Write `README.md` and `metrics.json` beside each model's weights.

    Parameters
    ----------
    folder : Path
        Folder that holds the models' folders.
    evaluation : mapping
        As `latentdb.zoo.evaluate.Evaluation.to_json` gives it.
    cards : sequence of Card

    Raises
    ------
    KeyError
        A measure of a card is missing.
    """
    for card in cards:
        measures = {name: round(evaluation["measures"][name], 4) for name in card.measures}
        metrics = json.dumps(measures, indent=2) + "\n"
        (folder / card.folder / "metrics.json").write_text(metrics, encoding="utf-8")
        (folder / card.folder / "README.md").write_text(_render(card, evaluation), encoding="utf-8")


def _render(card: Card, evaluation: Mapping[str, Any]) -> str:
    rows = [f"| {name} | {evaluation['measures'][name]:.3f} |" for name in card.measures]
    for kind in card.probed:
        aucs = evaluation["probe_auc"][kind].items()
        rows += [f"| AUC of {name} from {kind} | {auc:.3f} |" for name, auc in aucs]
    shared = _SHARED.format(
        command=card.command,
        seed=evaluation["seed"],
        n=evaluation["n"],
        rows="\n".join(rows),
        commit=evaluation["commit"] or "unknown",
        machine=", ".join(f"{key} {value}" for key, value in evaluation["machine"].items()),
    )
    header = "---\nlicense: apache-2.0\nlibrary_name: latentdb\n---\n\n"
    return f"{header}# {card.title}\n\n{card.text}\n\n{shared}"
