"""Pictures behind urls, and how long anything of them is left."""

from limner_server import wait_until

KEPT = {"prompt": "a red apple", "num_inference_steps": 1, "response_format": "url"}


def test_a_picture_is_gone_from_the_disk_when_its_url_is(start_server):
    """Nobody paints or asks meanwhile: the server removes it by itself."""
    own = start_server("--images-ttl", "2s")
    folder = own.folder / "images"
    url = own.post_json("/v1/images/generations", KEPT).json()["data"][0]["url"]
    files = list(folder.iterdir())
    assert len(files) == 1
    wait_until(lambda: not list(folder.iterdir()), "the file to be removed")
    assert own.get(url.removeprefix(own.url)).status == 404
    assert own.metric("limner_stored_bytes") == 0
