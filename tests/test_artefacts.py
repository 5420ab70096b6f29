"""Artefact files: whole or absent, and refused when they are not what they should be."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from latentdb import durable
from latentdb.artefacts import Artefact, FittedOn, SpaceRef, load_artefact, save_artefact
from latentdb.errors import ArtefactError, SpaceMismatchError
from latentdb.space import Space

SPACE = Space("clip", "embedding", 3, "clip", {"model": "tiny"})


@pytest.fixture
def artefact():
    return Artefact(
        kind="thing",
        arrays={"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(4)},
        spaces={"home": SpaceRef.of(SPACE)},
        fitted_on=FittedOn(8, 2, "00ff", 7),
        parameters={"strength": 0.1, "names": ["x", "ü"]},
        scores={"auc": 0.9},
    )


@pytest.fixture
def path(tmp_path, artefact):
    path = tmp_path / "thing.safetensors"
    save_artefact(path, artefact)
    return path


def test_what_is_written_is_read(path, artefact):
    read = load_artefact(path, kind="thing")
    for name, array in artefact.arrays.items():
        np.testing.assert_array_equal(read.arrays[name], array)
        assert read.arrays[name].dtype == array.dtype
    assert replace(read, arrays={}).__dict__ == replace(artefact, arrays={}).__dict__


def test_a_transposed_array_is_written_in_its_own_order(tmp_path, artefact):
    turned = replace(artefact, arrays={"a": artefact.arrays["a"].T})
    save_artefact(tmp_path / "t", turned)
    np.testing.assert_array_equal(
        load_artefact(tmp_path / "t", kind="thing").arrays["a"], turned.arrays["a"]
    )


def test_saving_leaves_no_other_file(path):
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_failed_write_keeps_the_old_file(path, artefact, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr(durable.os, "fsync", full)
    with pytest.raises(ArtefactError, match="No space left"):
        save_artefact(path, replace(artefact, arrays={}))
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


def test_a_missing_folder_is_named(tmp_path, artefact):
    with pytest.raises(ArtefactError, match="cannot write"):
        save_artefact(tmp_path / "none" / "t", artefact)


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_torn_file_is_refused(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ArtefactError, match="cannot be read as a thing"):
        load_artefact(path, kind="thing")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="cannot be read"):
        load_artefact(tmp_path / "none", kind="thing")


def test_a_flipped_bit_is_noticed(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ArtefactError, match="checksum"):
        load_artefact(path, kind="thing")


def test_an_edited_header_is_noticed(path):
    path.write_bytes(path.read_bytes().replace(b"0.9", b"1.0"))
    with pytest.raises(ArtefactError, match="checksum"):
        load_artefact(path, kind="thing")


def test_another_kind_is_refused(path):
    with pytest.raises(ArtefactError, match="holds a thing, expected a map"):
        load_artefact(path, kind="map")


def test_a_foreign_safetensors_file_is_refused(tmp_path):
    save_file({"a": np.ones(2)}, tmp_path / "t")
    with pytest.raises(ArtefactError, match="latentdb did not write it"):
        load_artefact(tmp_path / "t", kind="thing")


@pytest.mark.parametrize("header", ["{", "[]", '{"kind": "thing"}'])
def test_an_unreadable_header_is_refused(tmp_path, header):
    save_file({"a": np.ones(2)}, tmp_path / "t", metadata={"latentdb": header})
    with pytest.raises(ArtefactError, match="header that cannot be read"):
        load_artefact(tmp_path / "t", kind="thing")


def test_a_newer_format_is_refused_before_anything_else_is_read(tmp_path):
    header = json.dumps({"kind": "thing", "format": 2, "reshaped": True})
    save_file({"a": np.ones(2)}, tmp_path / "t", metadata={"latentdb": header})
    with pytest.raises(ArtefactError, match="format 2, this latentdb reads up to 1: upgrade"):
        load_artefact(tmp_path / "t", kind="thing")


def test_a_reference_refuses_other_settings_under_the_same_name():
    other = replace(SPACE, settings={"model": "large"})
    SpaceRef.of(SPACE).require(replace(SPACE, name="renamed"), artefact="it", refit="cmd")
    with pytest.raises(SpaceMismatchError, match=r"it was fitted on .*'clip'.* fit one with cmd"):
        SpaceRef.of(SPACE).require(other, artefact="it", refit="cmd")
