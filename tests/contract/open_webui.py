"""Open WebUI's own code for pictures, run without Open WebUI.

Its functions are taken out of its files by name and given what they need of their surroundings: a
configuration, a session, a place to put pictures. How they ask, what they read of the answer and which
addresses they refuse to fetch is theirs.
"""

import ast
import asyncio
import base64
import importlib
import inspect
import io
import ipaddress
import json
import logging
import mimetypes
import re
import socket
import sys
import typing
import urllib.parse
import uuid
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pydantic
from PIL import Image, ImageOps

FOLDER = Path(__file__).resolve().parents[2] / ".deps" / "open-webui"
WANTED = {
    "_is_same_origin", "get_image_data", "get_image_file_item", "image_edits", "image_generations",
    "normalize_openai_edit_image_data_url", "CreateImageForm", "EditImageForm", "IMAGE_FILE_EXTENSIONS",
}  # fmt: skip


class HttpError(Exception):
    def __init__(self, status_code: int, detail: object = None):
        super().__init__(f"{status_code}: {detail}")


class Messages:
    INVALID_URL = "the URL is invalid"

    @staticmethod
    def DEFAULT(error="", what=""):
        return f"{error} {what}"


def name_of(node: ast.stmt) -> str | None:
    target = getattr(node, "target", None) or (getattr(node, "targets", None) or [None])[0]
    return getattr(node, "name", None) or getattr(target, "id", None)


def take(file: Path, is_wanted, namespace: dict) -> None:
    """Defines what is wanted of a file, its routes' decorators left out."""
    for node in ast.parse(file.read_text()).body:
        if not is_wanted(node):
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.decorator_list = []
        module = ast.fix_missing_locations(ast.Module([node], []))
        exec(compile(module, str(file), "exec"), namespace)


def url_guard():
    """validate_url and all above it in its file."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    namespace = {
        name: getattr(typing, name) for name in ("List", "Optional", "Sequence", "Union")
    } | {
        "ENABLE_LOCAL_WEB_FETCH": False,
        "ERROR_MESSAGES": Messages,
        "WEB_FETCH_FILTER_LIST": [],
        "ipaddress": ipaddress,
        "is_host_allowed": lambda host, hosts: True,
        "is_host_blocked": lambda host, hosts: False,
        "log": logging.getLogger("open_webui"),
        "socket": socket,
        "urllib": urllib,
        "validators": importlib.import_module("validators"),
    }
    seen = {"stop": False}

    def is_wanted(node: ast.stmt) -> bool:
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        wanted = is_function and not seen["stop"]
        seen["stop"] |= name_of(node) == "validate_url"
        return wanted

    take(FOLDER / "open_webui/retrieval/web/utils.py", is_wanted, namespace)
    return namespace["validate_url"]


class OpenWebUi:
    """With its default settings, but for the address and the model."""

    def __init__(self, base_url: str, model: str, params: dict | None = None, version: str = ""):
        self.uploaded: list[tuple[str, bytes]] = []
        self.config = SimpleNamespace(
            IMAGE_SIZE="256x256", IMAGE_GENERATION_ENGINE="openai", IMAGE_GENERATION_MODEL=model,
            IMAGES_OPENAI_API_BASE_URL=base_url, IMAGES_OPENAI_API_KEY="none",
            IMAGES_OPENAI_API_VERSION=version, IMAGES_OPENAI_API_PARAMS=params,
            IMAGE_EDIT_ENGINE="openai", IMAGE_EDIT_MODEL=model, IMAGE_EDIT_SIZE="",
            IMAGES_EDIT_OPENAI_API_BASE_URL=base_url, IMAGES_EDIT_OPENAI_API_KEY="none",
            IMAGES_EDIT_OPENAI_API_VERSION=version,
        )  # fmt: skip
        self.session: aiohttp.ClientSession | None = None
        self.code = self._surroundings()
        take(
            FOLDER / "open_webui/routers/images.py",
            lambda node: name_of(node) in WANTED,
            self.code,
        )

    def generate(self, **fields) -> list[tuple[str, bytes]]:
        return self._run("image_generations", "CreateImageForm", fields)

    def edit(self, **fields) -> list[tuple[str, bytes]]:
        return self._run("image_edits", "EditImageForm", fields)

    def _run(self, function: str, form: str, fields: dict) -> list[tuple[str, bytes]]:
        async def run():
            async with aiohttp.ClientSession() as self.session:
                await self.code[function](None, self.code[form](**fields), user=None)

        self.uploaded.clear()
        asyncio.run(run())
        return list(self.uploaded)

    def _surroundings(self) -> dict:
        async def upload_image(request, data, content_type, metadata, user, db=None):
            if data is None or content_type is None:
                raise ValueError("Failed to retrieve image data from the generation backend")
            self.uploaded.append((content_type, data))
            return SimpleNamespace(id="1"), "/api/v1/files/1/content"

        async def of(value):
            return value() if inspect.isfunction(value) else value

        return {
            "AIOHTTP_CLIENT_ALLOW_REDIRECTS": False, "AIOHTTP_CLIENT_SESSION_SSL": True,
            "BaseModel": pydantic.BaseModel, "Depends": lambda what: None,
            "ENABLE_FORWARD_USER_INFO_HEADERS": False,
            "ENABLE_OPENAI_IMAGE_EDIT_NORMALIZATION": False, "ERROR_MESSAGES": Messages,
            "FileResponse": object, "HTTPException": HttpError, "Image": Image,
            "IMAGE_URL_RESPONSE_MODELS_REGEX_PATTERN": "^gpt-image", "ImageOps": ImageOps,
            "Request": object, "aiohttp": aiohttp, "asyncio": asyncio, "base64": base64,
            "get_image_config": lambda: of(self.config),
            "get_image_model": lambda request: of(self.config.IMAGE_GENERATION_MODEL),
            "get_session": lambda: of(lambda: self.session),
            "get_ssrf_safe_session": aiohttp.ClientSession, "get_verified_user": None, "io": io,
            "json": json, "log": logging.getLogger("open_webui"), "mimetypes": mimetypes,
            "nullcontext": nullcontext, "re": re, "upload_image": upload_image,
            "urlparse": urllib.parse.urlparse, "uuid": uuid, "validate_url": url_guard(),
        }  # fmt: skip
