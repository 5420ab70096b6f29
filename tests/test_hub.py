"""What a real client of the hub tells us, asked of a hub on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hub_server import COMMIT, hub

from latentdb.inverters.backbones.pipeline_folder import PipelineFolder

_CHILD = """
import json, sys
from latentdb.errors import ModelError
from latentdb.inverters.backbones.pipeline_folder import PipelineFolder
found = {}
for source in sys.argv[1:]:
    try:
        pipeline = PipelineFolder.open(source)
        parts = ("unet", "text_encoder", "tokenizer", "vae")
        found[source] = [str(pipeline.files.folder), pipeline.digest(parts)]
    except ModelError as error:
        found[source] = str(error)
print(json.dumps(found))
"""


def asked(address: str, cache: Path, *sources: str, **environment: str) -> dict[str, object]:
    """What a process of its own gets, since the client reads its settings when it is imported."""
    hidden = {"HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE"}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *sources],
        env={
            **{key: value for key, value in os.environ.items() if key not in hidden},
            "HF_ENDPOINT": address,
            "HF_HOME": str(cache),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    cache = tmp_path_factory.mktemp("hub")
    with hub({}) as address:
        return asked(
            address, cache, "a/gated", "a/unknown", "a/broken", "a/gated@v9", "not an id", "a/b/c"
        )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a/gated", "accept its licence at https://huggingface.co/a/gated and log in"),
        ("a/gated", "set HF_TOKEN"),
        ("a/gated", "`hf download a/gated`) and pass its folder"),
        ("a/unknown", "check the name, and if the model is private log in"),
        ("a/broken", "the hub did not give it to us"),
        ("a/gated@v9", "model 'a/gated@v9': the hub has no such revision"),
        ("not an id", "neither a local folder nor the id of a model on the hub (owner/name)"),
        ("a/b/c", "neither a local folder nor the id of a model"),
    ],
)
def test_a_refusal_says_what_to_do(answers: dict[str, object], source: str, text: str) -> None:
    assert text in str(answers[source])


def test_a_hub_that_is_not_there_is_told_from_one_that_refuses(tmp_path: Path) -> None:
    with hub({}) as address:
        pass
    said = asked(address, tmp_path, "a/gated")["a/gated"]
    assert "the hub cannot be reached (no network, or HF_HUB_OFFLINE is set)" in str(said)
    offline = asked(address, tmp_path, "a/gated", HF_HUB_OFFLINE="1")["a/gated"]
    assert offline == said


def test_a_pipeline_comes_from_the_hub_once_without_the_files_that_are_not_run(
    tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model("stable_diffusion"), tmp_path / "sd")
    for extra in ("sd.ckpt", "unet/diffusion_pytorch_model.fp16.safetensors", "safety_checker/a"):
        (folder / extra).parent.mkdir(exist_ok=True)
        (folder / extra).write_bytes(b"much")
    with hub({"owner/sd": folder}) as address:
        downloaded, digest = asked(address, tmp_path / "cache", "owner/sd")["owner/sd"]
    assert {path.name for path in Path(downloaded).rglob("*")}.isdisjoint(
        {"sd.ckpt", "diffusion_pytorch_model.fp16.safetensors", "safety_checker"}
    )
    parts = ("unet", "text_encoder", "tokenizer", "vae")
    assert digest == PipelineFolder.open(str(folder)).digest(parts)
    again = asked(address, tmp_path / "cache", "owner/sd", HF_HUB_OFFLINE="1")["owner/sd"]
    assert again == [downloaded, digest]
    assert COMMIT in downloaded


def test_pickled_weights_are_fetched_only_where_there_are_no_others(
    tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model("stable_diffusion"), tmp_path / "sd")
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"pickled")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with hub({"owner/sd": folder, "owner/both": tiny_model("stable_diffusion")}) as address:
        found = asked(address, tmp_path / "cache", "owner/sd")
    downloaded, _ = found["owner/sd"]
    assert (Path(downloaded) / "unet" / "diffusion_pytorch_model.bin").read_bytes() == b"pickled"
