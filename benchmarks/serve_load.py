"""Load by wrk: scripts that it is given, and what it says."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_MORE = ("--timeout", "30s", "-s")
# Each thread of wrk goes through the bodies from a place of its own; `%d` in one becomes a number
# that no request had before.
_SCRIPT = """
local threads = 0
function setup(thread) thread:set("offset", threads * 1000003) threads = threads + 1 end
local bodies = {}
for line in io.lines("BODIES") do bodies[#bodies + 1] = line end
local at = START
function request()
  at = at + 1
  local body = bodies[(at + offset) % #bodies + 1]
  body = body:gsub("%%d", tostring(at + offset))
  return wrk.format("POST", nil, nil, body)
end
wrk.headers["content-type"] = "application/json"
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\nJSON {"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, ' ..
    '"refused": %d, "broken": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, e.status, e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw: `refused` are answers other than 2xx and 3xx, `broken` those that failed."""

    clients: int
    per_second: float
    p50_ms: float
    p99_ms: float
    requests: int
    refused: int
    broken: int

    def to_json(self) -> dict[str, float]:
        return {name: round(value, 3) for name, value in asdict(self).items()}


def load(url: str, bodies: Sequence[str], *, clients: int, seconds: float, start: int = 0) -> Load:
    """Ask `url` with these bodies for some seconds, by clients that each wait for their answer."""
    with tempfile.TemporaryDirectory() as folder:
        lines, script = Path(folder) / "bodies", Path(folder) / "load.lua"
        lines.write_text("\n".join(bodies) + "\n", encoding="utf-8")
        text = _SCRIPT.replace("BODIES", str(lines)).replace("START", str(start))
        script.write_text(text, encoding="utf-8")
        threads = min(2, clients)
        said = subprocess.run(
            ["wrk", f"-t{threads}", f"-c{clients}", f"-d{seconds:g}s", *_MORE, str(script), url],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    found = json.loads(said.partition("JSON ")[2])
    return Load(
        clients,
        found["requests"] / found["seconds"],
        found["p50_ms"],
        found["p99_ms"],
        found["requests"],
        found["refused"],
        found["broken"],
    )
