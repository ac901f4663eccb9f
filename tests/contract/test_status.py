"""What an operator asks: is it up, can it paint, what has it done."""

from test_openai_generations import generate

IMAGES = 'limner_images_total{model="emoji-256"}'


def test_health_is_up(server):
    reply = server.get("/health")
    assert (reply.status, reply.json()) == (200, {"status": "ok"})


def test_ready_names_each_model(server):
    reply = server.get("/ready")
    assert reply.status == 200
    assert reply.json() == {"status": "ready", "models": [{"id": "emoji-256", "state": "ready"}]}


def test_health_answers_while_the_model_loads(start_server, tmp_path):
    """With an empty cache the graphs are compiled first; liveness does not wait for that."""
    own = start_server(cache=tmp_path / "cache", ready=False)
    assert own.get("/health").status == 200
    own.wait_ready()


def test_metrics_count_what_was_painted(server, client):
    before = server.metric(IMAGES)
    generate(client, n=2)
    assert server.metric(IMAGES) == before + 2


def test_the_banner_tells_address_model_and_a_line_to_try(server):
    banner = server.banner()
    assert server.url in banner
    assert "emoji-256" in banner
    assert f"curl -s {server.url}/v1/images/generations" in banner


def test_a_second_start_compiles_nothing(start_server, tmp_path):
    """The cache is what makes it warm: its files are not made anew."""
    cache = tmp_path / "cache"

    def paint_and_list() -> dict[str, int]:
        own = start_server(cache=cache)
        assert own.post_json("/v1/images/generations", {"prompt": "a", "steps": 1}).status == 200
        own.stop()
        return {str(path): path.stat().st_ino for path in cache.rglob("*.blob")}

    first = paint_and_list()
    assert first
    assert paint_and_list() == first
