"""What a person at a terminal, or a log file, is told."""

from __future__ import annotations

import pytest

from latentdb.ingest import RichProgress, progress


def advance_through(listener: RichProgress) -> None:
    listener.total(40)
    listener.advance(files=30)
    listener.advance(quarantined=1)
    listener.message("memory ran out [with 32]")


def test_a_terminal_sees_a_bar_on_stderr(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with RichProgress() as listener:
        advance_through(listener)
    out, err = capsys.readouterr()
    assert out == ""
    for text in ("31/40", "images/s", "1 quarantined", "memory ran out [with 32]"):
        assert text in err


def test_a_log_file_gets_lines_now_and_then(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with RichProgress() as listener:
        advance_through(listener)
        assert capsys.readouterr() == ("", "memory ran out [with 32]\n")
        monkeypatch.setattr(progress, "_LINE_SECONDS", 0.0)
        listener.advance()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("32 of 40 files, ")
    assert err.endswith("images/s, 1 quarantined\n")
