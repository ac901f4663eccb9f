"""Open WebUI 0.12 as it comes: its own code must get a picture of every name that it is set to."""

import base64
import io

import pytest
from limner_server import Server, clean_environment
from model_folders import EMBEDDED
from open_webui import FOLDER, OpenWebUi, url_guard
from pictures import apple, to_bytes
from PIL import Image

pytestmark = pytest.mark.skipif(
    not (FOLDER / ".ready").exists(), reason="tools/setup_clients.sh has not fetched it"
)
APPLE = "data:image/png;base64," + base64.b64encode(to_bytes(apple())).decode()


@pytest.fixture(scope="module")
def quick_server(binary, cache_folder, tmp_path_factory):
    """It says nothing of steps, so the model's own number is made small."""
    folder = tmp_path_factory.mktemp("open_webui")
    config = folder / "limner.yaml"
    config.write_text(f"models:\n  emoji-256: {{path: {EMBEDDED}, default_steps: 2}}\n")
    environment = clean_environment(folder, cache_folder)
    own = Server(binary, folder, environment, ["--config", str(config)]).wait_ready()
    yield own
    own.stop()


def is_picture(uploads: list[tuple[str, bytes]]) -> bool:
    [(content_type, data)] = uploads
    return content_type == "image/png" and Image.open(io.BytesIO(data)).size == (256, 256)


def test_its_guard_refuses_our_own_address(quick_server):
    """Else the tests below could not fail where it counts."""
    with pytest.raises(ValueError):
        url_guard()(f"{quick_server.url}/v1/images/files/a.png")


@pytest.mark.parametrize(
    "model", ["gpt-image-1", "gpt-image-2.6-flare", "dall-e-3", "openai/gpt-image-1", "emoji-256"]
)
def test_paints_and_edits_whatever_the_model_is_called(quick_server, model):
    client = OpenWebUi(f"{quick_server.url}/v1", model)
    assert is_picture(client.generate(prompt="a red apple"))
    assert is_picture(client.edit(image=APPLE, prompt="a blue apple"))


def test_takes_an_api_version_and_the_administrators_parameters(quick_server):
    params = {"seed": 3, "num_inference_steps": 2}
    client = OpenWebUi(f"{quick_server.url}/v1", "gpt-image-1", params, "2025-04-01-preview")
    first = client.generate(prompt="a red apple")
    assert is_picture(first)
    assert client.generate(prompt="a red apple") == first
    assert is_picture(client.edit(image=[APPLE], prompt="a blue apple"))
