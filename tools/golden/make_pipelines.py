"""Pictures that diffusers paints with the toy pipelines, for the parity tests to compare with.

usage: make_pipelines.py MODELS OUT [FAMILY ...]     FAMILY: a prefix of toy names, such as sd

MODELS holds the folders of make_toys.py; OUT receives one PNG per case (pictures of one request
stacked from top to bottom), the input images, and manifest-FAMILY.json. Everything is computed in
float32 on one CPU thread. A case is kept only when a disturbance of one part in 10^5 of the first
noise leaves the picture alone: otherwise the rounding of a correct implementation would show.
"""

import itertools
import json
import pathlib
import sys

import diffusers
import numpy as np
import torch
import transformers
from diffusers import (
    DDIMScheduler,
    DEISMultistepScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FlowMatchHeunDiscreteScheduler,
    FluxFillPipeline,
    FluxImg2ImgPipeline,
    FluxInpaintPipeline,
    FluxPipeline,
    HeunDiscreteScheduler,
    LatentConsistencyModelImg2ImgPipeline,
    LatentConsistencyModelPipeline,
    LMSDiscreteScheduler,
    PNDMScheduler,
    StableDiffusion3Img2ImgPipeline,
    StableDiffusion3InpaintPipeline,
    StableDiffusion3Pipeline,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UniPCMultistepScheduler,
    ZImageImg2ImgPipeline,
    ZImageInpaintPipeline,
    ZImagePipeline,
)
from make_toys import absent_parts
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEDULERS = dict(
    ddim=(DDIMScheduler, {}),
    pndm=(PNDMScheduler, {}),
    euler=(EulerDiscreteScheduler, {}),
    euler_a=(EulerAncestralDiscreteScheduler, {}),
    heun=(HeunDiscreteScheduler, {}),
    lms=(LMSDiscreteScheduler, {}),
    dpmpp_2m=(DPMSolverMultistepScheduler, {}),
    dpmpp_2m_karras=(DPMSolverMultistepScheduler, dict(use_karras_sigmas=True)),
    unipc=(UniPCMultistepScheduler, {}),
)
FLOW = dict(use_flow_sigmas=True, prediction_type="flow_prediction")
FLOW_SCHEDULERS = dict(
    flow_match_euler=(FlowMatchEulerDiscreteScheduler, {}),
    flow_match_heun=(FlowMatchHeunDiscreteScheduler, {}),
    dpmpp_2m=(DPMSolverMultistepScheduler, FLOW),
    unipc=(UniPCMultistepScheduler, FLOW),
    deis=(DEISMultistepScheduler, FLOW),
)
PROMPTS = [
    "a red cat on the moon",
    "two dogs in the snow, an oil painting!",
    "Ünïcode Café  東京 🍎\n and   spaces",
    "",
]
NEGATIVES = [None, "blurry, ugly", "blue house"]
STEPS = [20, 7, 4, 12, 3, 2, 15, 5, 1]
SEEDS = [1, 42, 2**32 - 1, 0, 5]
SIZES = {  # width, height
    "sd1": [(64, 64), (48, 64), (72, 40), (32, 64)],
    "sd2-v": [(64, 64), (48, 64), (40, 56)],
    "sd-json": [(64, 64), (48, 64), (72, 40)],
    "sd-odd": [(64, 64), (48, 64)],
    "sd-deep": [(64, 64), (96, 64), (112, 80)],
    "sd-plain": [(48, 48), (64, 40)],
    "sd-inpaint": [(64, 64), (48, 64), (72, 56)],
    "sdxl": [(64, 64), (48, 64), (72, 40)],
    "sdxl-odd": [(64, 64), (40, 56)],
    "sdxl-turbo": [(64, 64), (48, 32)],
    "sdxl-inpaint": [(64, 64), (32, 48)],
    "lcm": [(64, 64), (48, 40)],
    "sd3": [(64, 64), (48, 72), (96, 40), (192, 64)],
    "sd35": [(64, 64), (48, 36), (80, 44)],
    "sd3-odd": [(64, 64), (120, 56)],
    "flux-schnell": [(64, 64), (48, 72), (40, 24)],
    "flux-dev": [(64, 64), (72, 48), (112, 80)],
    "flux-odd": [(64, 64), (56, 88)],
    "flux-fill": [(64, 64), (48, 56), (72, 64)],
    "z-image-turbo": [(64, 64), (48, 72), (40, 24), (96, 64)],
    "z-image-base": [(64, 64), (44, 20), (28, 76)],
    "taesd": [(64, 64), (48, 40)],
    "emoji-256": [(256, 256)],
}


# --- cases ----------------------------------------------------------------------------------------


def case(toy, task, scheduler, size, **kw):
    defaults = dict(
        prompt=PROMPTS[0], negative=None, steps=5, guidance=7.5, seed=1, n=1, clip_skip=None
    )
    return dict(toy=toy, task=task, scheduler=scheduler, width=size[0], height=size[1]) | (
        defaults | kw
    )


def text_to_image(toy, rounds=1):
    """Every scheduler, with the other settings turning at different speeds."""
    prompts, negatives, steps = map(itertools.cycle, (PROMPTS, NEGATIVES, STEPS))
    sizes, seeds = itertools.cycle(SIZES[toy]), itertools.cycle(SEEDS)
    guidance, counts = itertools.cycle([7.5, 7.5, 1.0, 4.0]), itertools.cycle([1, 2, 1, 1, 1])
    for i in range(sum(map(ord, toy)) % 7):
        next(steps), next(prompts)
    for _ in range(rounds):
        for name in [None, *SCHEDULERS]:
            yield case(
                toy,
                "text_to_image",
                name,
                next(sizes),
                prompt=next(prompts),
                negative=next(negatives),
                steps=next(steps),
                guidance=next(guidance),
                seed=next(seeds),
                n=next(counts),
            )
        next(steps), next(seeds)


def with_image(toy, task, rows):
    strengths = itertools.cycle([0.8, 0.3, 1.0, 0.55])
    sizes, seeds = itertools.cycle(SIZES[toy]), itertools.cycle(SEEDS)
    counts, steps = itertools.cycle([1, 1, 2]), itertools.cycle([10, 8, 5, 14])
    for name in rows:
        strength, count = next(strengths), next(steps)
        yield case(
            toy,
            task,
            name,
            next(sizes),
            strength=strength,
            steps=count,
            n=next(counts),
            seed=next(seeds),
            guidance=1.0 if name == "heun" else 6.0,
            negative="blue house" if count == 8 else None,
        )


def sd_cases():
    for toy, rounds in (("sd1", 2), ("sd2-v", 2)):
        yield from text_to_image(toy, rounds)
    for toy in ("sd-json", "sd-odd", "sd-deep", "sd-plain"):
        yield from text_to_image(toy)
    for toy in ("sd1", "sd2-v", "sd-odd"):
        yield case(toy, "text_to_image", "dpmpp_2m", SIZES[toy][0], clip_skip=1)
    yield case("sd1", "text_to_image", "euler", SIZES["sd1"][0], clip_skip=2, negative="ugly")
    yield case("sd1", "text_to_image", "ddim", SIZES["sd1"][0], eta=0.7, n=2, steps=6)
    every = [None, *SCHEDULERS]
    yield from with_image("sd1", "image_to_image", every)
    yield from with_image("sd2-v", "image_to_image", ["ddim", "euler", "heun", "dpmpp_2m", "pndm"])
    yield from with_image("sd-odd", "image_to_image", [None, "unipc", "euler_a"])
    yield from with_image("sd1", "inpaint", every)
    yield from with_image("sd-json", "inpaint", ["ddim", "euler_a", "dpmpp_2m"])
    yield from with_image("sd-inpaint", "inpaint", every)


def emoji_cases():
    """Backgrounds in colour, since white could hide a mistake; guidance and negative prompts change nothing."""
    size = SIZES["emoji-256"][0]
    panda, frog = "a panda on a blue background", "a frog on a beige and teal gradient background"
    yield case("emoji-256", "text_to_image", None, size, prompt=panda, steps=2, guidance=1.0)
    yield case("emoji-256", "text_to_image", None, size, prompt=frog, steps=20, guidance=4.0)
    yield case(
        "emoji-256", "text_to_image", "dpmpp_2m", size, prompt="a cat and a pizza on a green background",
        steps=12, guidance=7.5, seed=7, negative="flat",
    )
    yield case("emoji-256", "text_to_image", "euler_a", size, prompt=frog, steps=8, seed=3)
    for task in ("image_to_image", "inpaint"):
        yield case("emoji-256", task, None, size, prompt=panda, steps=10, guidance=3.0, strength=0.7)


def xl_cases():
    """The second text differs, is a copy, or meets an empty negative prompt."""
    yield from text_to_image("sdxl")
    second = dict(prompt_2=PROMPTS[1], negative="ugly", negative_2="blue house")
    for toy in ("sdxl", "sdxl-odd"):
        yield case(toy, "text_to_image", "euler", SIZES[toy][1], n=2, steps=4, **second)
        yield case(toy, "text_to_image", "ddim", SIZES[toy][0], clip_skip=1, negative="ugly")
        yield from with_image(toy, "image_to_image", [None, "dpmpp_2m"])
    for name in (None, "unipc", "euler_a", "heun"):
        yield case("sdxl-odd", "text_to_image", name, SIZES["sdxl-odd"][0], steps=6, guidance=5.0)
    for steps in (1, 2, 4):
        yield case(
            "sdxl-turbo", "text_to_image", None, SIZES["sdxl-turbo"][steps == 2], steps=steps, guidance=0.0
        )
    yield case(
        "sdxl-turbo", "image_to_image", None, SIZES["sdxl-turbo"][0], steps=4, guidance=0.0, strength=0.5
    )
    yield from with_image("sdxl", "inpaint", [None, "ddim", "euler_a"])
    yield from with_image("sdxl-inpaint", "inpaint", [None, "ddim", "dpmpp_2m", "euler_a"])


def lcm_cases():
    """No second row per image: guidance is an input of the network."""
    sizes = SIZES["lcm"]
    for steps, guidance in ((4, 8.5), (1, 8.5), (8, 1.0), (3, 0.0)):
        yield case("lcm", "text_to_image", None, sizes[steps % 2], steps=steps, guidance=guidance)
    yield case("lcm", "text_to_image", None, sizes[1], steps=4, n=3, clip_skip=1, prompt=PROMPTS[1])
    for steps, strength in ((4, 0.5), (6, 1.0), (2, 0.31)):
        yield case(
            "lcm", "image_to_image", None, sizes[0], steps=steps, guidance=5.0, strength=strength
        )


LONG = "a cat and a dog and a bird in the snow on the moon " * 6


def flow_cases(toy, guidance, **texts):
    """Text to image and image to image with all that turns; `texts` for one case of their own."""
    prompts, steps = itertools.cycle(PROMPTS), itertools.cycle([8, 3, 28, 1, 5])
    lengths = itertools.cycle([None, 16, 77, 512, 5])
    sizes, counts = itertools.cycle(SIZES[toy]), itertools.cycle([1, 2, 1])
    seeds = itertools.cycle(SEEDS)
    for scale in guidance:
        yield case(
            toy, "text_to_image", None, next(sizes), prompt=next(prompts), steps=next(steps),
            guidance=scale, seed=next(seeds), n=next(counts), max_sequence_length=next(lengths),
        )
    size = SIZES[toy][0]
    yield case(toy, "text_to_image", None, size, guidance=guidance[0], **texts)
    yield case(toy, "text_to_image", "flow_match_euler", size, guidance=guidance[0], prompt=LONG)
    for task in ("image_to_image", "inpaint"):
        for strength, count in ((0.6, 7), (0.3, 4), (1.0, 5), (0.55, 1), (0.95, 9)):
            yield case(
                toy, task, None, next(sizes), strength=strength, steps=count, n=next(counts),
                seed=next(seeds), guidance=guidance[0], max_sequence_length=32,
            )


def sd3_cases():
    texts = dict(
        prompt_2=PROMPTS[1], prompt_3="the snow", negative="ugly", negative_2="blue house",
        negative_3="a dog",
    )
    for toy in ("sd3", "sd35", "sd3-odd"):
        yield from flow_cases(toy, (7.0, 4.5, 1.0, 3.0, 7.0), **texts)
        yield case(toy, "text_to_image", None, SIZES[toy][0], clip_skip=1, negative="ugly")
    for name in ("flow_match_heun", "dpmpp_2m", "unipc", "deis"):
        yield case("sd3", "text_to_image", name, SIZES["sd3"][1], steps=7, guidance=4.0, negative="ugly")


def flux_cases():
    for toy, guidance in (
        ("flux-schnell", (0.0, 3.5)),
        ("flux-dev", (3.5, 1.0, 7.0, 0.0)),
        ("flux-odd", (3.5, 30.0)),
    ):
        yield from flow_cases(toy, guidance, prompt_2=PROMPTS[1])


def fill_cases():
    """Mask and masked picture beside the latents."""
    sizes = itertools.cycle(SIZES["flux-fill"])
    for strength, steps, scale in ((1.0, 6, 30.0), (0.7, 8, 5.0), (0.35, 5, 1.0), (1.0, 2, 12.0)):
        yield case(
            "flux-fill", "inpaint", None, next(sizes), strength=strength, steps=steps, guidance=scale,
            n=2 if steps == 5 else 1, prompt_2=PROMPTS[1] if steps == 8 else None,
        )


def zimage_cases():
    """Captions of one length and of several, cut ones, guidance counted from 0.

    diffusers takes no scheduler but its own here.
    """
    for toy, guidance in (
        ("z-image-turbo", (0.0, 2.5)),
        ("z-image-base", (5.0, 3.0, 0.0, 1.0, 0.4)),
    ):
        yield from flow_cases(toy, guidance, negative="blurry, ugly", seed=3)
        sizes = SIZES[toy]
        yield case(toy, "text_to_image", None, sizes[1], guidance=2.0, negative=LONG, n=2, steps=9)
        yield case(
            toy, "text_to_image", None, sizes[0], guidance=4.0, prompt=LONG, negative="ugly", steps=6,
        )
        yield case(
            toy, "text_to_image", None, sizes[1], prompt=LONG, guidance=1.0, max_sequence_length=45, steps=10,
        )
        yield case(
            toy, "text_to_image", None, sizes[2], prompt="<|im_end|> a  cat\n\n", guidance=0.0, steps=4,
        )


def tiny_cases():
    """AutoencoderTiny under Stable Diffusion."""
    for steps, name in ((6, None), (3, "euler")):
        yield case("taesd", "text_to_image", name, SIZES["taesd"][0], steps=steps, n=2)
    yield from with_image("taesd", "image_to_image", [None, "ddim", "dpmpp_2m"])
    yield from with_image("taesd", "inpaint", [None, "ddim", "dpmpp_2m"])


CASES = dict(tiny=tiny_cases, sd=sd_cases, xl=xl_cases, lcm=lcm_cases, sd3=sd3_cases, flux=flux_cases, fill=fill_cases)
CASES |= dict(zimage=zimage_cases, emoji=emoji_cases)
CLASSES = dict(
    sd=dict(
        text_to_image=StableDiffusionPipeline,
        image_to_image=StableDiffusionImg2ImgPipeline,
        inpaint=StableDiffusionInpaintPipeline,
    ),
    xl=dict(
        text_to_image=StableDiffusionXLPipeline,
        image_to_image=StableDiffusionXLImg2ImgPipeline,
        inpaint=StableDiffusionXLInpaintPipeline,
    ),
    lcm=dict(
        text_to_image=LatentConsistencyModelPipeline,
        image_to_image=LatentConsistencyModelImg2ImgPipeline,
    ),
)
CLASSES["tiny"] = CLASSES["sd"]
CLASSES["sd3"] = dict(
    text_to_image=StableDiffusion3Pipeline,
    image_to_image=StableDiffusion3Img2ImgPipeline,
    inpaint=StableDiffusion3InpaintPipeline,
)
CLASSES["flux"] = dict(
    text_to_image=FluxPipeline,
    image_to_image=FluxImg2ImgPipeline,
    inpaint=FluxInpaintPipeline,
)
CLASSES["zimage"] = dict(
    text_to_image=ZImagePipeline,
    image_to_image=ZImageImg2ImgPipeline,
    inpaint=ZImageInpaintPipeline,
)
CLASSES["fill"] = dict(inpaint=FluxFillPipeline)
CLASSES["emoji"] = CLASSES["sd"]
FLOW_FAMILIES = ("sd3", "flux", "fill", "zimage")


# --- painting -------------------------------------------------------------------------------------


def input_image(width, height):
    """Smooth colours with one hard edge: something an encoder can keep."""
    y, x = np.mgrid[0:height, 0:width] / 64.0
    rgb = np.stack([np.sin(3 * x + y), np.cos(2 * y - x), np.sin(x * y * 2 + 1)], -1) * 100 + 128
    rgb[height // 3 : height // 2, width // 4 : width // 2] = (230, 40, 60)
    return Image.fromarray(rgb.astype(np.uint8))


def input_mask(width, height):
    """White repaints; a grey ramp at the edge shows where it is cut at one half."""
    x = np.linspace(-1, 1, width)[None] + np.linspace(-0.5, 0.5, height)[:, None] * 0.7
    return Image.fromarray((np.clip(x * 4 + 0.5, 0, 1) * 255).astype(np.uint8))


class Painter:
    """Loads each folder once and paints its cases."""

    def __init__(self, models, out, family):
        self.models, self.out, self.family, self.pipes = models, out, family, {}

    def pipe(self, c):
        toy = c["toy"]
        if toy not in self.pipes:
            folder = ROOT / "models" / toy if toy.startswith("emoji") else self.models / toy
            pipe = diffusers.DiffusionPipeline.from_pretrained(
                folder, torch_dtype=torch.float32, **absent_parts(folder)
            )
            self.pipes = {toy: (pipe, pipe.scheduler)}  # one at a time
        pipe, own = self.pipes[toy]
        cls = CLASSES[self.family][c["task"]]
        if type(pipe) is not cls:
            pipe = cls(**pipe.components, **self.extra(cls, pipe))
        pipe.scheduler = own
        if c["scheduler"]:
            table = FLOW_SCHEDULERS if self.family in FLOW_FAMILIES else SCHEDULERS
            kind, kw = table[c["scheduler"]]
            if kw is FLOW:
                kw = FLOW | dict(flow_shift=own.config.shift)
            pipe.scheduler = kind.from_config(own.config, **kw)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def extra(self, cls, pipe):
        """Constructor arguments that are no components."""
        if "XL" in cls.__name__:
            return dict(force_zeros_for_empty_prompt=pipe.config.force_zeros_for_empty_prompt)
        return {} if self.family in FLOW_FAMILIES else dict(requires_safety_checker=False)

    def inputs(self, c):
        """Arguments of the call, and the files they were stored in."""
        kw, files = {}, {}
        size = f"{c['width']}x{c['height']}.png"
        if c["task"] != "text_to_image":
            kw = dict(image=input_image(c["width"], c["height"]), strength=c["strength"])
            files["image"] = f"inputs/image-{size}"
            kw["image"].save(self.out / files["image"], optimize=True)
        if c["task"] == "inpaint":
            kw["mask_image"] = input_mask(c["width"], c["height"])
            files["mask"] = f"inputs/mask-{size}"
            kw["mask_image"].save(self.out / files["mask"], optimize=True)
        return kw, files

    def paint(self, c, disturb=0.0):
        """Pictures of the case; `disturb` moves the normal numbers drawn.

        Image i is what seed + i gives alone. diffusers' inpainting encodes the image once, with the
        first generator, for all images of a call, and SD3 and FLUX take one image of the call for
        each generator: there each image gets a call of its own.
        """
        is_shared = c["task"] == "inpaint" or self.family in FLOW_FAMILIES
        if c["task"] != "text_to_image" and is_shared and c["n"] > 1:
            alone = [c | dict(n=1, seed=c["seed"] + i) for i in range(c["n"])]
            c |= self.inputs(c)[1]
            return [self.paint(one, disturb)[0] for one in alone]
        pipe, (kw, files) = self.pipe(c), self.inputs(c)
        c |= files
        if c["task"] != "image_to_image" or self.family in FLOW_FAMILIES:
            kw |= dict(width=c["width"], height=c["height"])
        if "eta" in c:
            kw["eta"] = c["eta"]
        if c["clip_skip"]:
            kw["clip_skip"] = c["clip_skip"]
        if self.family not in ("lcm", "fill"):
            kw["negative_prompt"] = c["negative"]
        for i in (2, 3):
            kw |= {f"prompt_{i}": c[k] for k in [f"prompt_{i}"] if c.get(k)}
            kw |= {f"negative_prompt_{i}": c[k] for k in [f"negative_{i}"] if c.get(k)}
        if c.get("max_sequence_length"):
            kw["max_sequence_length"] = c["max_sequence_length"]
        generators = [torch.Generator().manual_seed(c["seed"] + i) for i in range(c["n"])]
        with Disturbed(disturb):
            return pipe(
                c["prompt"],
                num_inference_steps=c["steps"],
                guidance_scale=c["guidance"],
                num_images_per_prompt=c["n"],
                generator=generators,
                **kw,
            ).images


class Disturbed:
    """torch.randn with every number moved by up to `amount` of itself."""

    def __init__(self, amount):
        self.amount, self.randn = amount, torch.randn

    def __enter__(self):
        def randn(*a, **kw):
            x = self.randn(*a, **kw)
            wave = torch.arange(x.numel(), dtype=x.dtype).sin().reshape(x.shape)
            return x * (1 + self.amount * wave)

        if self.amount:
            torch.randn = randn

    def __exit__(self, *_):
        torch.randn = self.randn


def stack(images):
    return np.concatenate([np.asarray(i.convert("RGB")) for i in images])


def name_of(c, taken):
    parts = [c["toy"], dict(text_to_image="t2i", image_to_image="i2i").get(c["task"], c["task"])]
    parts += [c["scheduler"] or "default", str(c["steps"])]
    name = "-".join(parts)
    for suffix in ("", "b", "c", "d"):
        if name + suffix not in taken:
            return name + suffix
    raise ValueError(name)


def usable(c, picture, moved):
    """False, with the reason, for cases that could not tell right from wrong."""
    drift = float(np.abs(picture.astype(int) - moved.astype(int)).mean())
    flat, clipped = float(picture.std()), float(((picture == 0) | (picture == 255)).mean())
    c["drift"] = round(drift, 4)
    if drift > 0.1 or flat < 12 or clipped > 0.5:
        print(f"unusable: drift {drift:.3f} std {flat:.1f} clipped {clipped:.2f} {c}", flush=True)
        return False
    return True


def attempt(painter, c):
    try:
        picture = stack(painter.paint(c))
        moved = stack(painter.paint(c, 1e-5))
    except (ValueError, IndexError, RuntimeError) as e:
        print(f"diffusers refuses {c}: {type(e).__name__} {str(e)[:100]}", flush=True)
        return None
    return picture if usable(c, picture, moved) else None


def run(family, models, out):
    painter, kept = Painter(models, out, family), {}
    for c in CASES[family]():
        # A few schedulers refuse some step counts, and guided clipping can be chaotic.
        for easier in ({}, dict(steps=6), dict(steps=8, guidance=1.0)):
            c |= easier
            picture = attempt(painter, c)
            if picture is not None:
                break
        else:
            print(f"left out: {c}", flush=True)
            continue
        name = name_of(c, kept)
        c["file"] = f"pictures/{name}.png"
        Image.fromarray(picture).save(out / c["file"], optimize=True)
        kept[name] = dict(name=name) | {k: v for k, v in c.items() if v is not None}
    manifest = dict(
        made_by="tools/golden/make_pipelines.py",
        versions=dict(
            diffusers=diffusers.__version__,
            transformers=transformers.__version__,
            torch=torch.__version__,
        ),
        tolerance=dict(mean_abs_difference_8bit=0.5, psnr_db=45.0),
        cases=list(kept.values()),
    )
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (out / f"manifest-{family}.json").write_text(text + "\n")
    print(family, len(kept), "cases")


def main():
    torch.set_num_threads(1)
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    models, out = map(pathlib.Path, sys.argv[1:3])
    for folder in ("pictures", "inputs"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for family in sys.argv[3:] or CASES:
        run(family, models, out)


if __name__ == "__main__":
    main()
