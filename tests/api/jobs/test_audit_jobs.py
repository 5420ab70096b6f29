"""Indexes that are chosen, tuned and audited over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

Done = Callable[..., dict[str, Any]]


def test_an_index_is_chosen_and_says_why(done: Done, client: TestClient) -> None:
    job = done("/v1/indexes", space="dino", kind="auto", memory=10**8)
    assert job["state"] == "done", job["error"]
    (listed,) = [one for one in client.get("/v1/indexes").json() if one["space"] == "dino"]
    assert listed["reason"] == job["result"]["reason"]
    assert listed["reason"].startswith(f"{listed['kind']}: of 60 × ")


def test_an_index_is_tuned_and_audited_and_the_figures_tell(done: Done, client: TestClient) -> None:
    built = done("/v1/indexes", space="clip", metric="euclidean", kind="ivf", target_recall=0.9)
    assert built["result"]["tuning"]["target"] == 0.9
    job = done("/v1/audits", space="clip", questions=20)
    assert job["state"] == "done", job["error"]
    audits = {one["index"]: one for one in job["result"]}
    assert set(audits) == {"clip--cosine", "clip--euclidean"}
    assert audits["clip--cosine"]["target"] == 1.0
    assert set(audits["clip--euclidean"]["recall"]) >= {"id", "text"}
    text = client.get("/metrics").text
    for name in ("index_audit_recall", "index_recall"):
        assert f'latentdb_{name}{{index="clip--euclidean",question="text"}}' in text
    assert 'latentdb_index_audit_below_target{index="clip--cosine"} 0.0' in text


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/indexes", {"space": "clip", "target_recall": 1.5}, 422, "invalid-request"),
        ("/v1/indexes", {"space": "clip", "memory": 0}, 422, "invalid-request"),
        ("/v1/indexes", {"space": "clip", "refresh": True, "memory": 9}, 422, "query"),
        ("/v1/audits", {"space": "nope"}, 404, "unknown-space"),
        ("/v1/audits", {"questions": 0}, 422, "invalid-request"),
        ("/v1/audits", {"target": 2}, 422, "invalid-request"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    client: TestClient, path: str, body: dict[str, object], status: int, code: str
) -> None:
    response = client.post(path, json=body)
    assert response.status_code == status
    assert response.json()["type"] == f"urn:latentdb:problem:{code}"
