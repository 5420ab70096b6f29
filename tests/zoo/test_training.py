"""Training: each model trains, is written in its library's layout, resumes; losses are right."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from latentdb.torch_compat import torch
from latentdb.zoo.measures import recall_of_captions
from latentdb.zoo.train_autoencoder import build_autoencoder, encode, train_autoencoder
from latentdb.zoo.train_clip import contrastive_loss, train_clip
from latentdb.zoo.train_diffusion import build_scheduler, train_diffusion
from latentdb.zoo.train_ssl import augment, simclr_loss, train_ssl
from latentdb.zoo.training import Optimisation, Settings, Trainer


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("zoo")
    return Settings(minutes=1, steps=1, out=folder / "weights", cache=folder / "cache", n_faces=16)


@pytest.fixture(scope="module")
def pipeline(settings: Settings) -> Path:
    train_autoencoder(settings)
    train_diffusion(settings)
    return settings.out / "faces-diffusion"


def test_the_pipeline_is_written_in_diffusers_layout(pipeline: Path) -> None:
    from latentdb.inverters.backbones.backbone import DiffusersBackbone
    from latentdb.inverters.options import DiffusersOptions

    backbone = DiffusersBackbone(str(pipeline), DiffusersOptions(), device="cpu")
    assert backbone.latent_shape == (4, 16, 16)


def test_scaled_codes_have_about_unit_deviation(pipeline: Path, settings: Settings) -> None:
    import diffusers

    from latentdb.zoo.training_data import face_arrays

    vae = diffusers.AutoencoderTiny.from_pretrained(pipeline / "vae", torch_dtype=torch.float32)
    codes = encode(vae, face_arrays(16, cache=settings.cache).pixels)
    assert float(codes.std() * vae.config.scaling_factor) == pytest.approx(1, abs=0.02)


def test_the_clip_is_written_in_open_clip_layout(settings: Settings) -> None:
    from latentdb.encoders.open_clip import OpenClipEncoder
    from latentdb.encoders.options import OpenClipOptions

    train_clip(settings)
    folder = str(settings.out / "faces-clip")
    encoder = OpenClipEncoder(folder, OpenClipOptions(), name="c", spec="c", device="cpu")
    assert encoder.encode_text(["a hat", "glasses"]).shape == (2, 256)


def test_the_self_supervised_model_is_written_in_timm_layout(settings: Settings) -> None:
    from latentdb.encoders.options import TimmOptions
    from latentdb.encoders.timm import TimmEncoder

    train_ssl(settings)
    folder = str(settings.out / "faces-ssl")
    encoder = TimmEncoder(folder, TimmOptions(), name="s", spec="s", device="cpu")
    assert encoder.embed(np.zeros((2, 64, 64, 3), np.uint8)).vectors.shape == (2, 256)


def _line_trainer(folder: Path, steps: int) -> tuple[Trainer, list[float]]:
    torch.manual_seed(0)
    settings = Settings(minutes=1, steps=steps, cache=folder)
    trainer = Trainer(
        "line", torch.nn.Linear(3, 1), settings=settings, optimisation=Optimisation(0.01)
    )
    return trainer, []


def test_training_resumes_where_it_stopped(tmp_path: Path) -> None:
    trainer, seen = _line_trainer(tmp_path, steps=4)

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        x = torch.randn(8, 3, generator=generator)
        seen.append(float(x.sum()))
        return trainer.model(x).square().mean()

    trainer.run(loss_of, lambda _: None)
    first = list(seen)
    trainer, _ = _line_trainer(tmp_path, steps=6)
    trainer.run(loss_of, lambda _: None)
    assert len(first) == 4
    assert len(seen) == 6
    assert len(set(seen)) == 6


def test_a_loss_that_is_not_finite_stops_training(tmp_path: Path) -> None:
    trainer, _ = _line_trainer(tmp_path, steps=4)
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        trainer.run(lambda _: torch.tensor(math.nan, requires_grad=True), lambda _: None)


def test_the_schedule_ends_in_next_to_pure_noise() -> None:
    alpha_bar = build_scheduler().alphas_cumprod
    assert 0 < float(alpha_bar[-1]) < 1e-6


def test_codes_are_a_quarter_of_the_side(settings: Settings) -> None:
    codes = encode(build_autoencoder(), np.zeros((1, 64, 64, 3), np.uint8))
    assert codes.shape == (1, 4, 16, 16)


def test_contrastive_loss_of_single_truths_is_info_nce() -> None:
    logits = torch.randn(5, 5, generator=torch.Generator().manual_seed(0))
    rows = -logits.log_softmax(1).diagonal().mean()
    columns = -logits.log_softmax(0).diagonal().mean()
    found = contrastive_loss(logits, torch.eye(5, dtype=torch.bool))
    assert float(found) == pytest.approx(float((rows + columns) / 2), rel=1e-5)


def test_contrastive_loss_spreads_over_all_true_pairs() -> None:
    everything = torch.ones(4, 4, dtype=torch.bool)
    assert float(contrastive_loss(torch.zeros(4, 4), everything)) == pytest.approx(math.log(4))


def test_simclr_loss_is_its_formula() -> None:
    generator = torch.Generator().manual_seed(1)
    a, b = torch.randn(3, 4, generator=generator), torch.randn(3, 4, generator=generator)
    z = torch.cat([a, b]) / torch.cat([a, b]).norm(dim=1, keepdim=True)
    similar = (z @ z.T / 0.2).exp()
    terms = [
        -torch.log(similar[i, (i + 3) % 6] / (similar[i].sum() - similar[i, i])) for i in range(6)
    ]
    assert float(simclr_loss(a, b)) == pytest.approx(float(sum(terms) / 6), rel=1e-4)


def test_augmentation_does_not_modify_pictures_and_follows_its_seed() -> None:
    pictures = torch.rand(2, 3, 64, 64) * 2 - 1
    before = pictures.clone()
    first = augment(pictures, torch.Generator().manual_seed(3))
    assert torch.equal(pictures, before)
    assert torch.equal(first, augment(pictures, torch.Generator().manual_seed(3)))
    assert not torch.allclose(first, pictures, atol=0.1)


def test_recall_counts_images_of_an_equal_caption() -> None:
    images = np.eye(3, dtype=np.float32)
    texts = images[[1, 0, 2]]
    assert recall_of_captions(texts, images, ["a", "a", "b"], k=1) == 1.0
    assert recall_of_captions(texts, images, ["a", "b", "c"], k=1) == pytest.approx(1 / 3)
