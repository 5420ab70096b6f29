"""Specs, bundled models, and the errors of both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdb import bundled
from latentdb.errors import ModelError, SpaceSpecError
from latentdb.spaces import BUNDLED, SpaceSpec, describe_models, load_model, parse_spec


def test_a_bundled_name_is_a_spec() -> None:
    assert set(BUNDLED) == {"faces-noise", "faces-clip", "faces-ssl", "faces-blind"}
    parsed = parse_spec("faces-clip")
    assert (parsed.name, parsed.loader, parsed.source) == ("faces-clip", "bundled", "faces-clip")
    assert str(parsed) == "faces-clip"


def test_a_spec_has_a_name_a_loader_a_source_and_options() -> None:
    parsed = parse_spec("sd15=diffusers:/models/sd15?inverter=fixed_point&steps=50&prompt=")
    assert parsed == SpaceSpec(
        "sd15",
        "diffusers",
        "/models/sd15",
        {"inverter": "fixed_point", "steps": "50", "prompt": ""},
    )


def test_a_hub_id_may_carry_its_prefix_and_revision() -> None:
    assert parse_spec("d=timm:hf-hub:timm/vit_small@main").source == "hf-hub:timm/vit_small@main"


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(["prompt", "steps", "dtype"]), st.text(max_size=12)))
def test_a_spec_written_out_reads_back_the_same(options: dict[str, str]) -> None:
    spec = SpaceSpec("a-space", "diffusers", "/models/a b", options)
    assert parse_spec(str(spec)) == spec


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            "",
            "a bundled space .faces-noise, faces-clip, faces-ssl, faces-blind. nor of the form",
        ),
        ("faces", "neither a bundled space"),
        ("clip=/models/clip", "neither a bundled space"),
        ("clip=open_clip:", "neither a bundled space"),
        ("Clip!=open_clip:/m", "a space's name is of lower-case letters"),
        ("faces-clip=open_clip:/m", "is the name of a bundled space"),
        ("clip=openclip:/m", "there is no loader 'openclip'; there are open_clip, timm"),
        ("short=bundled:faces", "'faces' is not bundled"),
        ("n=diffusers:/m?steps", "not of the form key=value"),
        ("n=diffusers:/m?steps=1&steps=2", "gives steps more than once"),
        ("n=diffusers:/m?guidance=7", "unknown option guidance; there are inverter, steps"),
        ("n=diffusers:/m?steps=ten", "steps='ten' is not of type int"),
        ("n=diffusers:/m?tolerance=low", "tolerance='low' is not of type float"),
        ("n=diffusers:/m?psnr=yes", "psnr='yes' is neither true nor false"),
        ("n=diffusers:/m?inverter=edict", "inverter='edict' is not one of fixed_point, ddim"),
        ("n=diffusers:/m?steps=0", "expected at least 1 of each of steps, iterations"),
        ("n=diffusers:/m?convention=cleaner", "convention=cleaner goes with inverter=ddim"),
        ("t=timm:/m?size=big", "size='big' is not of type int"),
    ],
)
def test_specs_that_cannot_be_read_are_refused(spec: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(SpaceSpecError, match=text):
        load_model(spec.replace("/m", str(tmp_path)), device="cpu")


def test_a_folder_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match=r"\./nowhere is not a folder"):
        load_model("clip=open_clip:./nowhere", device="cpu")


def test_a_device_that_is_not_there_is_refused(tiny_model: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match="device 'abacus' cannot be used here"):
        load_model(f"vit=timm:{tiny_model('timm')}", device="abacus")


def test_a_relative_folder_is_stored_absolute(
    tiny_model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_model("timm")
    monkeypatch.chdir(folder.parent)
    space = load_model(f"vit=timm:./{folder.name}", device="cpu").space
    assert space.spec == f"vit=timm:{folder}"


def test_the_name_of_a_space_does_not_move_its_fingerprint(
    tiny_model: Callable[[str], Path],
) -> None:
    folder = tiny_model("timm")
    spaces = [load_model(f"{name}=timm:{folder}", device="cpu").space for name in ("a", "b")]
    assert spaces[0].name != spaces[1].name
    assert spaces[0].fingerprint == spaces[1].fingerprint


def test_missing_bundled_weights_say_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bundled, "_WEIGHTS", tmp_path)
    with pytest.raises(ModelError, match=r"train them: python -m latentdb\.zoo\.train"):
        load_model("faces-clip", device="cpu")
    assert [model.is_installed for model in describe_models()] == [False] * len(BUNDLED)


def test_a_hub_that_cannot_be_reached_is_reported() -> None:
    script = (
        "from latentdb.errors import ModelError\n"
        "from latentdb.spaces import load_model\n"
        "try:\n    load_model('d=timm:timm/no_such_model', device='cpu')\n"
        "except ModelError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "neither a local folder nor in the cache of the hub's client" in done.stdout


@pytest.mark.parametrize("name", BUNDLED)
def test_a_description_agrees_with_the_loaded_model(name: str) -> None:
    description = {model.name: model for model in describe_models()}[name]
    if not description.is_installed:
        pytest.skip(f"the weights of {name} are not trained yet")
    model = load_model(name, device="cpu")
    assert (description.dim, description.kind) == (model.space.dim, model.space.kind)
    assert description.has_text == model.space.has_text
    assert model.space.name == name
    assert description.parameters > 1e5
    assert json.loads(json.dumps(description.to_json()))["name"] == name


def test_specs_and_descriptions_load_no_network_library() -> None:
    script = (
        "import sys, latentdb.spaces as s; s.describe_models(); s.parse_spec('faces-clip');"
        "print([m for m in ('torch', 'diffusers', 'open_clip', 'timm') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
