"""The rules every change keeps."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [path for name in ("stream", "twin", "connectors") for path in (ROOT / name).rglob("*.py")]


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "ruff", "check"],
        [str(Path(sys.executable).with_name("lint-imports"))],
        [sys.executable, "-m", "mypy"],
    ],
    ids=["lint", "layers", "types"],
)
def test_clean(command):
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) <= 310


def test_nothing_else_is_visible_at_the_top():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    top = {name.split("/")[0] for name in listed.splitlines() if not name.startswith(".")}

    assert top <= {"pyproject.toml", "stream", "twin", "connectors", "deploy", "tests", "README.md"}
