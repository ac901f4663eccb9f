"""litellm as an SDK, and LangChain's image tool."""

import json
import subprocess
import urllib.request
from pathlib import Path

import pytest
from pictures import apple, decode

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".deps" / "venv-litellm" / "bin" / "python"


@pytest.fixture(scope="module")
def litellm(server, tmp_path_factory) -> dict:
    """What litellm got in each case; one process, since it takes long to import."""
    folder = tmp_path_factory.mktemp("litellm")
    apple().save(folder / "apple.png")
    done = subprocess.run(
        [PYTHON, HERE / "litellm_client.py", server.url, folder / "apple.png"],
        capture_output=True,
        text=True,
        # Its price list is part of the package; nothing is to be fetched.
        env={"HOME": str(folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_litellm_generates(litellm):
    assert [decode(image).size for image in litellm["generate"]] == [(256, 256)]


def test_litellm_edits(litellm):
    assert [decode(image).size for image in litellm["edit"]] == [(256, 256)]


def test_litellm_shows_our_words(litellm):
    assert litellm["error"]["status"] == 400
    assert "banana" in litellm["error"]["message"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_langchain_gets_an_address(server):
    """Its wrapper sends dall-e-2 and reads nothing but `url`."""
    from langchain_community.utilities.dalle_image_generator import DallEAPIWrapper

    wrapper = DallEAPIWrapper(
        api_key="unused", base_url=f"{server.url}/v1", size="256x256", n=2, quality="low"
    )
    addresses = wrapper.run("a red apple").splitlines()
    assert len(addresses) == 2
    for address in addresses:
        with urllib.request.urlopen(address, timeout=30) as reply:
            assert reply.read().startswith(b"\x89PNG")
