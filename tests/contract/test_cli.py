"""`limner` without a server."""

import os
import pty
import resource
import signal
import subprocess
from pathlib import Path

import pytest
from limner_server import clean_environment, wait_until
from PIL import Image
from pictures import apple, hole

PAINT = ("generate", "a red apple", "--steps", "2", "--seed", "1")
MODEL = Path(__file__).parents[2] / "models" / "emoji-256"


def test_generate_writes_a_picture(run_limner, tmp_path):
    done = run_limner(*PAINT, "-o", "apple.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "apple.png  seed 1  256x256\n"
    with Image.open(tmp_path / "apple.png") as image:
        image.load()
        assert (image.size, image.mode) == ((256, 256), "RGB")
        assert image.text["parameters"].startswith("a red apple\n")


def test_the_same_seed_writes_the_same_file(run_limner, tmp_path):
    for name in ("first.png", "again.png"):
        assert run_limner(*PAINT, "-o", name).returncode == 0
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_several_pictures_get_numbers(run_limner, tmp_path):
    done = run_limner(*PAINT, "-n", "2", "-o", "apple.webp")
    assert done.returncode == 0
    assert done.stdout == "apple-1.webp  seed 1  256x256\napple-2.webp  seed 2  256x256\n"
    assert Image.open(tmp_path / "apple-2.webp").format == "WEBP"


def test_a_picture_and_a_mask_to_start_from(run_limner, tmp_path):
    apple().save(tmp_path / "in.png")
    hole().save(tmp_path / "mask.png")
    images = ("--init-image", "in.png", "--mask", "mask.png", "--strength", "0.9")
    done = run_limner(*PAINT, *images, "-o", "out.jpg")
    assert (done.returncode, done.stderr) == (0, "")
    assert Image.open(tmp_path / "out.jpg").size == (256, 256)


def test_a_long_prompt_is_painted_and_what_was_cut_is_noted(run_limner):
    paint = ["generate", "-q", "--steps", "1"]
    assert run_limner(*paint, "apple " * 90).returncode == 0
    cut = run_limner(*paint, "apple " * 400)
    assert cut.returncode == 0
    assert "first 300 of 400 tokens" in cut.stderr


@pytest.mark.parametrize(
    "args, status, words",
    [
        (["generate"], 2, ["PROMPT"]),
        (["paint"], 2, ["paint"]),
        (["generate", ""], 1, ["PROMPT", "empty"]),
        (["generate", "a\udcff"], 1, ["PROMPT", "UTF-8"]),
        (["generate", "apple " * 90, "--truncate-prompts=false"], 1, ["prompt", "90", "75"]),
        (["generate", "a", "--steps", "0"], 2, ["--steps", "0", "1"]),
        (["generate", "a", "--guidance", "nan"], 2, ["--guidance", "nan"]),
        (["generate", "a", "--size", "250x250"], 1, ["size", "250x250", "8", "248x248"]),
        (["generate", "a", "--scheduler", "magic"], 2, ["--scheduler", "magic", "euler"]),
        (["generate", "a", "--sedd", "1"], 2, ["--sedd"]),
        (["generate", "a", "--model", "none=no/such"], 1, ["no/such"]),
        (["generate", "a", "--model", "."], 1, ["model_index.json"]),
        (["generate", "a", "-o", "no/such/a.png"], 1, ["no/such"]),
        (["generate", "a", "-o", "a.gif"], 1, ["a.gif", ".png"]),
        (["generate", "a", "-i", "no.png"], 1, ["no.png"]),
        (["generate", "a", "--mask", "m.png"], 2, ["--init-image"]),
        (["serve", "--port", "99999"], 2, ["--port", "99999", "65535"]),
        (["serve", "--host", "0.0.0.0"], 2, ["0.0.0.0", "key", "--insecure"]),
        (["serve", "--config", "no.yaml"], 2, ["no.yaml"]),
        (["serve", "--model", "nothing=no/such"], 2, ["--model", "no/such"]),
        (["serve", "--model", "nothing=."], 2, ["--model", "model_index.json"]),
    ],
    ids=lambda value: (
        " ".join(value)[:40].encode("ascii", "replace").decode()
        if isinstance(value, list) and value and value[0].islower()
        else ""
    ),
)
def test_what_is_wrong_is_said_and_nothing_is_left(run_limner, tmp_path, args, status, words):
    done = run_limner(*args)
    assert done.returncode == status
    assert done.stderr.startswith("limner: ")
    for word in words:
        assert word in done.stderr
    assert not list(tmp_path.glob("*.png")) and not list(tmp_path.glob("*.part"))


def test_a_port_in_use_is_said(run_limner, server):
    done = run_limner("serve", "--port", str(server.port))
    assert done.returncode == 2
    assert str(server.port) in done.stderr and "in use" in done.stderr


def test_no_room_for_the_picture_is_an_error_that_leaves_no_part(binary, cache_folder, tmp_path):
    """A file may hold 1000 bytes here, the picture needs more."""

    def no_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = subprocess.run(
        [str(binary), *PAINT, "-o", "apple.png"],
        capture_output=True,
        text=True,
        env=clean_environment(tmp_path, cache_folder),
        cwd=tmp_path,
        preexec_fn=no_room,
        timeout=120,
    )
    assert done.returncode == 1
    assert "cannot write apple.png" in done.stderr
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_an_error_that_leaves_no_part(binary, cache_folder, tmp_path):
    script = """
        mount -t tmpfs -o size=16k tmpfs "$1" || exit 99
        "$2" generate "a red apple" --steps 2 -o "$1/apple.png"
        echo "status $?, files: $(ls -A "$1")"
    """
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", folder, binary],
        capture_output=True,
        text=True,
        env=clean_environment(tmp_path, cache_folder),
        timeout=120,
    )
    if "status" not in done.stdout:
        pytest.skip("no small disk can be mounted here")
    assert "No space left on device" in done.stderr
    assert done.stdout == "status 1, files: \n"


def test_ctrl_c_in_the_middle_leaves_no_file(binary, cache_folder, tmp_path):
    """On a terminal, so that the progress bar tells when it paints."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(binary), "generate", "a red apple", "--steps", "1000", "-o", "apple.png"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=clean_environment(tmp_path, cache_folder),
        cwd=tmp_path,
    )
    os.close(theirs)
    shown = b""

    def has_painted() -> bool:
        nonlocal shown
        shown += os.read(ours, 4096)
        return b"s/step" in shown

    wait_until(has_painted, "the progress bar")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) in (130, -signal.SIGINT)
    os.close(ours)
    assert os.listdir(tmp_path) == []


def test_models_lists_what_serve_would_offer(run_limner):
    done = run_limner("models", "--model", f"small={MODEL}", "--alias", "other=small")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()][0] == "small"
    assert "other" in done.stdout and "gpt-image-1" in done.stdout


def test_version_and_help(run_limner):
    version = run_limner("version")
    assert version.returncode == 0 and version.stdout.startswith("limner ")
    for args in (["--help"], ["serve", "--help"], ["generate", "--help"], []):
        done = run_limner(*args)
        assert done.returncode == 0
        assert "Usage: " in done.stdout
