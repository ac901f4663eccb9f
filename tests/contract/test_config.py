"""A flag beats the environment, which beats the file."""

import pytest
from model_folders import EMBEDDED

QUEUE = "queue_size"


def write(folder, text: str) -> str:
    file = folder / "limner.yaml"
    file.write_text(text)
    return str(file)


def models_of(run_limner, *args, **environment) -> list[str]:
    """The names that `limner models` prints for these settings: which source won is seen there."""
    done = run_limner("models", *args, **environment)
    assert done.returncode == 0, done.stderr
    return [line.split()[0] for line in done.stdout.splitlines() if "→" not in line]


def test_flag_over_environment_over_file(run_limner, tmp_path):
    file = ["--config", write(tmp_path, f"models:\n  of-file: {EMBEDDED}\n")]
    environment = {"LIMNER_MODEL": f"of-environment={EMBEDDED}"}
    flag = ["--model", f"of-flag={EMBEDDED}"]
    assert models_of(run_limner) == ["emoji-256"]
    assert models_of(run_limner, *file) == ["of-file"]
    assert models_of(run_limner, *file, **environment) == ["of-environment"]
    assert models_of(run_limner, *file, *flag, **environment) == ["of-flag"]


def test_the_file_may_be_named_in_the_environment(run_limner, tmp_path):
    file = write(tmp_path, f"models:\n  of-file: {EMBEDDED}\n")
    assert models_of(run_limner, LIMNER_CONFIG=file) == ["of-file"]


@pytest.mark.parametrize(
    "text, words",
    [
        ("qeue_size: 3\n", ["limner.yaml:1", "qeue_size", QUEUE]),
        ("queue_size: many\n", ["limner.yaml:1", QUEUE, "many"]),
        ("queue_size: 0\n", [QUEUE, "0"]),
        ("queue_size: [1\n", ["limner.yaml:2", "YAML"]),
        ("- queue_size\n", ["limner.yaml"]),
        ("models:\n  a: {path: /x, no_such: 1}\n", ["no_such"]),
        ("precision: f8\n", ["precision", "f8", "bf16"]),
    ],
)
def test_a_mistake_in_the_file_is_named(run_limner, tmp_path, text, words):
    done = run_limner("serve", "--config", write(tmp_path, text))
    assert done.returncode == 2
    for word in words:
        assert word in done.stderr


def test_a_mistake_in_the_environment_is_named(run_limner):
    done = run_limner("serve", LIMNER_QUEUE_SIZE="none")
    assert done.returncode == 2
    assert "LIMNER_QUEUE_SIZE" in done.stderr and "none" in done.stderr


def test_an_unknown_variable_is_told(run_limner):
    done = run_limner("models", LIMNER_QEUE_SIZE="3")
    assert done.returncode == 0
    assert "LIMNER_QEUE_SIZE" in done.stderr and "LIMNER_QUEUE_SIZE" in done.stderr


def test_limits_of_a_model_in_the_file_hold(start_server, tmp_path):
    text = f"""
models:
  small:
    path: {EMBEDDED}
    max_images: 2
    max_steps: 4
    default_steps: 2
    allowed_resolutions: [256x256, 256x288]
"""
    own = start_server("--config", write(tmp_path, text))
    path = "/v1/images/generations"
    for fields, param in [
        ({"n": 3}, "n"),
        ({"num_inference_steps": 5}, "num_inference_steps"),
        ({"size": "288x256"}, "size"),
    ]:
        reply = own.post_json(path, {"prompt": "a", **fields})
        assert (reply.status, reply.error()["param"]) == (400, param)
    assert own.post_json(path, {"prompt": "a"}).status == 200
