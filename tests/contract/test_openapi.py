"""schemathesis over our own document: no 5xx, and every answer is as the document says."""

import re
import subprocess
import sys
from pathlib import Path

from model_folders import EMBEDDED

# Aliases of other prefixes lead to the same handlers.
PATHS = "^/(v1|v3/images|api|health|ready|metrics)"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def test_the_document_holds(start_server, tmp_path):
    """One size, one picture, one step: what happens to be a good request is painted at once."""
    config = tmp_path / "limner.yaml"
    config.write_text(
        "models:\n"
        f"  emoji-256: {{path: {EMBEDDED}, max_images: 1, default_steps: 1, max_steps: 1,"
        " allowed_resolutions: [64x64]}\n"
    )
    own = start_server("--config", str(config))
    done = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis",
            "run",
            f"{own.url}/openapi.json",
            "--phases=fuzzing",
            "--max-examples=160",
            "--generation-deterministic",
            "--no-shrink",
            "--continue-on-failure",
            "--suppress-health-check=all",
            "--warnings=off",
            "--no-color",
            f"--checks={','.join(CHECKS)}",
            f"--include-path-regex={PATHS}",
            "--request-timeout=60",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert int(re.search(r"(\d+) generated", done.stdout).group(1)) >= 2000, done.stdout[-1000:]
