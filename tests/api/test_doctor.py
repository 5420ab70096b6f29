"""What the doctor says of installations, good and bad."""

from __future__ import annotations

from latentdb.doctor import examine, faiss_finding, load_findings


def test_both_builds_of_faiss_are_a_problem_with_a_cure() -> None:
    found = faiss_finding("1.15.1", "1.15.1")
    assert found.status == "problem"
    assert "break each other" in found.found
    assert "pip uninstall" in found.cure


def test_no_faiss_is_a_problem_and_one_is_none() -> None:
    assert faiss_finding(None, None).status == "problem"
    assert faiss_finding("1.15.1", None).status == "ok"
    assert faiss_finding(None, "1.15.1").found == "faiss-gpu 1.15.1"


def test_a_busy_machine_is_advised_to_let_threads_sleep() -> None:
    (found,) = load_findings(3.2, 2, None)
    assert found.status == "note"
    assert found.found.startswith("3.2 on 2 cores")
    assert "OMP_WAIT_POLICY=passive" in found.cure


def test_an_idle_machine_and_one_that_chose_are_not_advised() -> None:
    assert load_findings(2.0, 2, None) == load_findings(3.2, 2, "active") == []


def test_this_installation_has_no_problem() -> None:
    findings = examine()
    assert [finding for finding in findings if finding.status == "problem"] == []
    assert {"python", "faiss", "bundled models"} <= {finding.name for finding in findings}
