"""What the pages show for the shell can be pasted as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PASTED = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in sorted([*DOCS.glob("*.md"), *DOCS.glob("howto/*.md")])
    for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
    if not re.search(r"\b(pip|pytest)\b", block)
]


@pytest.mark.parametrize("block", PASTED)
def test_shell_examples_run_in_an_empty_folder(block, site, tmp_path):
    commands = Path(sys.executable).parent
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", block], cwd=tmp_path, env=os.environ | {"PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
