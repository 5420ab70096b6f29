"""Every family of diffusion models with every inverter, as typed: pictures in, noise, pictures out.

The pipelines are tiny and random, but each is of the real classes and read from its folder.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from PIL import Image
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner, Result

import latentdb
from api.cli.main import app
from latentdb.inverters.kinds import INVERTERS
from latentdb.zoo.faces import write_folder

# Name of a saver, and what its spec needs beside inverter and steps.
BACKBONES = {
    "unconditional": "",
    "ddpm_pixels": "",
    "ldm_vq": "",
    "stable_diffusion": "&prompt=a",
    "sdxl": "",
    "sd3": "",
    "flux": "&size=32",
    "flow_unconditional": "",
    "blind": "",
}
PICTURES = 2


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def succeeded(*words: object) -> Result:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def two_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two_faces")
    write_folder(folder, PICTURES, seed=5)
    return folder


@pytest.fixture(scope="module")
def database(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_model: Callable[[str], Path],
    two_faces: Path,
) -> Callable[[str], Path]:
    """A database of two faces with a space for each inverter over one backbone, made once."""
    made: dict[str, Path] = {}
    root = tmp_path_factory.mktemp("generators")

    def database_of(backbone: str) -> Path:
        if backbone not in made:
            if backbone == "blind":
                model = tiny_models.save_flow_unconditional(root / "blind_model", blind=True)
            else:
                model = tiny_model(backbone)
            spaces: list[str] = []
            for inverter in INVERTERS:
                options = f"inverter={inverter}&steps=3{BACKBONES[backbone]}"
                spaces += ["--space", f"{inverter}=diffusers:{model}?{options}"]
            path = root / f"{backbone}.ldb"
            succeeded("init", path, *spaces, "--device", "cpu")
            succeeded("ingest", path, two_faces, "--workers", 0, "--device", "cpu", "--json")
            made[backbone] = path
        return made[backbone]

    return database_of


@pytest.mark.parametrize("inverter", INVERTERS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_pictures_go_to_noise_and_back(
    database: Callable[[str], Path], backbone: str, inverter: str, tmp_path: Path
) -> None:
    path, sheet = database(backbone), tmp_path / "path.png"
    ids = latentdb.open(path, device="cpu").store.item_ids()
    words = ("interpolate", path, *ids, "--space", inverter, "--steps", 3, "--device", "cpu")
    succeeded(*words, "--out", sheet)
    with Image.open(sheet) as drawn:
        assert np.asarray(drawn).std() > 0


@pytest.mark.parametrize("backbone", ["stable_diffusion", "flux"])
def test_a_picture_is_its_own_nearest_in_every_space(
    database: Callable[[str], Path], two_faces: Path, backbone: str
) -> None:
    picture = min(two_faces.rglob("*.png"))
    for inverter in INVERTERS:
        words = ("search", database(backbone), "--image", picture, "--space", inverter)
        hits = json.loads(succeeded(*words, "--device", "cpu", "--json").stdout)["hits"]
        assert hits[0]["source"].endswith(picture.name)
        assert hits[0]["distance"] < 0.1 * hits[1]["distance"]


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
def test_vectors_of_a_model_that_changed_are_refused(
    tiny_model: Callable[[str], Path], two_faces: Path, tmp_path: Path, part: str
) -> None:
    model = shutil.copytree(tiny_model("stable_diffusion"), tmp_path / "model")
    path = tmp_path / "faces.ldb"
    succeeded("init", path, "--space", f"noise=diffusers:{model}?inverter=ddim&steps=2")
    succeeded("ingest", path, two_faces, "--workers", 0, "--device", "cpu")
    _change(model / part)
    picture = min(two_faces.rglob("*.png"))
    for words in (
        ("ingest", path, two_faces, "--workers", 0),
        ("search", path, "--image", picture),
    ):
        refused = run(*words, "--device", "cpu")
        assert refused.exit_code == 2
        assert "weights" in refused.stderr
        assert "Traceback" not in refused.stderr


def _change(part: Path) -> None:
    """Other weights, a word less, or another number of timesteps."""
    if (part / "scheduler_config.json").is_file():
        path, key, value = part / "scheduler_config.json", "num_train_timesteps", 500
    elif (part / "tokenizer_config.json").is_file():
        path, key, value = part / "tokenizer_config.json", "model_max_length", 76
    else:
        (weights,) = part.glob("*.safetensors")
        tensors = load_file(weights)
        save_file({name: 1.01 * tensor for name, tensor in tensors.items()}, weights)
        return
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))


def test_the_size_of_batches_is_auto_or_a_number(
    database: Callable[[str], Path], two_faces: Path
) -> None:
    words = ("ingest", database("unconditional"), two_faces, "--workers", 0, "--batch-size")
    for size in ("auto", "1"):
        succeeded(*words, size)
    refused = run(*words, "none")
    assert refused.exit_code == 2
    assert "expected auto or a number of at least 1" in refused.stderr
