"""litellm as a program uses it: run by test_litellm_and_langchain.py in litellm's own environment.

Prints one JSON line. litellm_client.py ADDRESS PICTURE
"""

import json
import sys

import litellm

ADDRESS, PICTURE = sys.argv[1:3]
TO_LIMNER = {"api_base": f"{ADDRESS}/v1", "api_key": "unused", "max_retries": 0}


def generate():
    reply = litellm.image_generation(
        prompt="a red apple",
        model="openai/gpt-image-1",
        size="256x256",
        n=1,
        extra_body={"num_inference_steps": 2, "seed": 7},
        **TO_LIMNER,
    )
    return [image.b64_json for image in reply.data]


def edit():
    with open(PICTURE, "rb") as picture:
        reply = litellm.image_edit(
            image=[picture],
            prompt="a green apple",
            model="openai/gpt-image-1",
            quality="low",
            **TO_LIMNER,
        )
    return [image.b64_json for image in reply.data]


def error():
    try:
        litellm.image_generation(
            prompt="a red apple", model="openai/gpt-image-1", size="banana", **TO_LIMNER
        )
    except litellm.BadRequestError as refused:
        return {"status": refused.status_code, "message": str(refused)}
    raise SystemExit("nothing was refused")


print(json.dumps({"generate": generate(), "edit": edit(), "error": error()}))
