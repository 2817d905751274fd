import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def site():
    """Folder of a built site; the workflow of the documentation builds one."""
    folder = os.environ.get("XVCLUSTER_SITE")
    if folder is None:
        pytest.skip("needs a built site: sphinx-build -b html docs SITE, and XVCLUSTER_SITE=SITE")
    folder = Path(folder).resolve()
    assert (folder / "index.html").exists(), f"{folder} is no site"
    return folder
