"""What OpenVINO itself makes of exported IR folders: pictures of optimum-intel's pipelines, for tests/parity/ir_test.cpp.

usage: make_ir_pictures.py IR FOLDER ...     (folders of IR, such as sd1-int8: export_ir.sh)

Writes IR/manifest.json and IR/pictures/. float32 arithmetic, and no rounding of activations, so that two programs
that run one IR agree.
"""

import json
import pathlib
import sys

import numpy as np
import torch
from optimum.intel import OVDiffusionPipeline
from PIL import Image

F32 = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
CASES = [dict(steps=4, guidance=5.0, seed=3), dict(steps=7, guidance=2.5, seed=12)]


def main():
    torch.set_num_threads(1)
    folder = pathlib.Path(sys.argv[1])
    (folder / "pictures").mkdir(exist_ok=True)
    kept = []
    for name in sys.argv[2:]:
        pipe = OVDiffusionPipeline.from_pretrained(folder / name, ov_config=F32, compile=True)
        pipe.set_progress_bar_config(disable=True)
        is_flux = "flux" in name
        for i, settings in enumerate(CASES):
            c = dict(width=64, height=64, prompt="a red cat on the moon", negative="blurry, ugly", n=1) | settings
            c |= dict(guidance=0.0) if is_flux else {}
            words = {} if is_flux else dict(negative_prompt=c["negative"])
            picture = pipe(c["prompt"], num_inference_steps=c["steps"], width=64, height=64, guidance_scale=c["guidance"],
                           generator=torch.Generator().manual_seed(c["seed"]), **words).images[0]  # fmt: skip
            file = f"pictures/{name}-{i}.png"
            Image.fromarray(np.asarray(picture.convert("RGB"))).save(folder / file)
            kept.append(dict(name=f"{name}-{i}", toy=name, task="text_to_image", file=f"ir/{file}") | c)
            print(kept[-1]["name"], np.asarray(picture).std().round(1))
    made = dict(made_by="tools/golden/make_ir_pictures.py", cases=kept)
    made["tolerance"] = dict(mean_abs_difference_8bit=0.5, psnr_db=45.0)
    (folder / "manifest.json").write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
