"""Names of uploaded files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.jobs.names import display_name, file_name


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("holiday.jpg", "holiday.jpg"),
        ("C:\\Users\\me\\holiday.jpg", "holiday.jpg"),
        ("../../etc/passwd", "passwd"),
        ("/absolute/a.png", "a.png"),
        (".hidden.png", "hidden.png"),
        ("<script>alert(1)</script>.png", "script_.png"),
        ("Grüße an 東京 (2).png", "Grüße an 東京 (2).png"),
        ("a\x00b\nc.png", "a_b_c.png"),
        ("", "picture"),
        (None, "picture"),
        ("..", "picture"),
    ],
)
def test_a_name_is_shown_and_leads_nowhere(sent: str | None, shown: str) -> None:
    assert display_name(sent) == shown


@given(st.text(max_size=300))
def test_any_name_is_one_visible_file_of_bounded_length(sent: str) -> None:
    kept = file_name(display_name(sent), set())
    assert kept.endswith(".png")
    assert "/" not in kept
    assert "\\" not in kept
    assert "\0" not in kept
    assert not kept.startswith(".")
    assert len(kept.encode()) <= 200


def test_two_of_one_name_are_two_files() -> None:
    taken: set[str] = set()
    names = []
    for sent in ("a.jpg", "A.JPG", "a.png"):
        name = file_name(sent, taken)
        taken.add(name.lower())
        names.append(name)
    assert names == ["a.png", "A-2.png", "a-3.png"]
