"""The libraries that are measured beside Watchkeeper, each in an environment of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PINS = Path(__file__).parent
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
"""Where the system keeps its certificates, a bank's own among them; uv is to trust them rather than its own."""


def install(name: str, place: Path) -> Path:
    """Install a peer at its pinned versions and return its Python; raise OSError that says why that can't be."""
    environment = place / name
    python = environment / "bin" / "python"
    if not python.exists():
        _uv("venv", "--python", sys.executable, str(environment))
    _uv("pip", "install", "--python", str(environment), "-r", str(PINS / f"{name}.txt"))
    return python


def versions(name: str) -> str:
    """Return what is pinned for a peer, in one line."""
    return ", ".join((PINS / f"{name}.txt").read_text(encoding="utf-8").split()).replace("==", " ")


def _uv(*arguments: str) -> None:
    trust = ["--system-certs"] if CERTIFICATES.exists() else []
    command = [str(Path(sys.executable).parent / "uv"), *arguments, "--quiet", *trust]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = re.sub(r"https?://\S+", "(address)", " ".join(done.stderr.split()))  # a bank's own index, perhaps
        raise OSError(said[:300])
