"""Fixtures: the binary, a server that most tests share, servers of a test's own, real clients."""

import os
import subprocess
from pathlib import Path

import openai
import pytest

from limner_server import Server, clean_environment


@pytest.fixture(scope="session")
def binary() -> Path:
    path = os.environ.get("LIMNER_BINARY")
    if not path:
        pytest.exit("LIMNER_BINARY is not set: the program to test, such as build/limner", 2)
    return Path(path).resolve(strict=True)


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory) -> Path:
    """Compiled graphs, shared by all: only the first server compiles."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def server(binary, cache_folder, tmp_path_factory):
    """One server for all tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp("server")
    shared = Server(binary, folder, clean_environment(folder, cache_folder), []).wait_ready()
    yield shared
    shared.stop()


@pytest.fixture
def start_server(binary, cache_folder, tmp_path_factory):
    """Starts servers that this test may harm. Those that it did not end are ended, cleanly."""
    started: list[Server] = []

    def start(*args: str, cache: Path = cache_folder, ready: bool = True, **environment: str):
        folder = tmp_path_factory.mktemp("server")
        own = Server(binary, folder, clean_environment(folder, cache, **environment), list(args))
        started.append(own)
        return own.wait_ready() if ready else own

    yield start
    for own in started:
        own.stop()


@pytest.fixture
def run_limner(binary, cache_folder, tmp_path):
    """Runs one command to its end."""

    def run(*args: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(binary), *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=clean_environment(tmp_path, cache_folder, **environment),
            cwd=tmp_path,
            timeout=120,
        )

    return run


@pytest.fixture
def client(server) -> openai.OpenAI:
    return client_of(server)


def client_of(server: Server, **options) -> openai.OpenAI:
    """As people use it: only the address changed. Without retries, so that errors show at once."""
    settings = {"base_url": f"{server.url}/v1", "api_key": "unused", "max_retries": 0, **options}
    return openai.OpenAI(**settings)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    shared = item.funcargs.get("server")
    if report.failed and isinstance(shared, Server):
        report.sections.append(("log of the server", shared.log()[-4000:]))
    return report
