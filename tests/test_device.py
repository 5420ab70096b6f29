"""Which errors say that memory ran out, and files' hashes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from latentdb.device import is_out_of_memory
from latentdb.errors import ModelError
from latentdb.torch_compat import torch
from latentdb.weights import ModelFiles, file_digest, model_errors


def test_memory_errors_of_python_and_torch_are_known() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_the_error_of_torch_s_cpu_allocator_is_known() -> None:
    with pytest.raises(RuntimeError, match="allocate") as raised:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(raised.value)


def test_memory_errors_while_loading_pass_as_they_come() -> None:
    with pytest.raises(RuntimeError, match="out of memory") as raised, model_errors("a model"):
        raise torch.OutOfMemoryError("CUDA out of memory")
    assert not isinstance(raised.value, ModelError)


def test_a_file_s_digest_follows_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"one")
    first = file_digest(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(0, 0))
    assert first != file_digest(path)
    path.write_bytes(b"one")
    os.utime(path, ns=(1, 1))
    assert first == file_digest(path)


def test_files_that_no_pattern_names_do_not_enter_the_digest(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    files = ModelFiles("model", tmp_path)
    before = files.digest(["*.safetensors", "config.json"])
    (tmp_path / "README.md").write_text("a card")
    assert files.digest(["*.safetensors", "config.json"]) == before
    (tmp_path / "config.json").write_text("{}")
    assert files.digest(["*.safetensors", "config.json"]) != before


def test_a_folder_without_weights_has_no_digest(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="no weights in"):
        ModelFiles("model", tmp_path).digest(["config.json", "*.safetensors"])
