"""Makes tests/golden/schedulers/*.json from diffusers and torch.

    python tools/golden/make_schedulers.py

Needs torch, diffusers and scipy; the versions used are written into the files. The test is
tests/unit/schedulers/golden_test.cpp. Arrays are little-endian float32 in base64. Network outputs
and first latents are no data: both sides compute them with `pseudo`.
"""

import base64
import contextlib
import itertools
import json
import os
import pathlib
import sys
import warnings

import numpy as np
import scipy
import torch

os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
import diffusers  # noqa: E402

warnings.filterwarnings("ignore")
ROOT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "schedulers"
SHAPE = (1, 4, 2, 3)  # 24 numbers: a whole block of the normal fill and a tail
SIZE = int(np.prod(SHAPE))
TOLERANCE = 1e-5


def pseudo(stream: int) -> np.ndarray:
    """SIZE float32 numbers in [-2, 2), the same in C++: a 32-bit linear congruence."""
    state = (stream * 2654435761 + 12345) % 2**32
    values = []
    for _ in range(SIZE):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append((state >> 8) / 2**22 - 2)
    return np.array(values, dtype=np.float32)


def tensor(stream: int) -> torch.Tensor:
    return torch.from_numpy(pseudo(stream)).reshape(SHAPE)


def pack(values) -> str:
    array = np.asarray(values.detach() if torch.is_tensor(values) else values, dtype="<f4")
    return base64.b64encode(array.tobytes()).decode()


# A request's value: the class and what it sets over the folder's config.
NAMES = {
    "ddim": ("DDIMScheduler", {}),
    "pndm": ("PNDMScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "lms": ("LMSDiscreteScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {}),
    "dpmpp_2m_karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "dpmpp_sde": ("DPMSolverSinglestepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "dpmpp_2m_sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "deis": ("DEISMultistepScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "tcd": ("TCDScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "flow_match_euler": ("FlowMatchEulerDiscreteScheduler", {}),
    "flow_match_heun": ("FlowMatchHeunDiscreteScheduler", {}),
}
CLASSES = {name: cls for name, (cls, _) in NAMES.items()}


def load(config: dict, name: str):
    own = getattr(diffusers, config["_class_name"]).from_config(dict(config))
    if not name:
        return own
    class_name, overrides = NAMES[name]
    return getattr(diffusers, class_name).from_config(own.config, **overrides)


def set_timesteps(scheduler, case: dict) -> None:
    extra = {}
    if case.get("tokens"):
        config = scheduler.config
        base, top = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
        low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
        slope = (high - low) / (top - base)
        extra["mu"] = case["tokens"] * slope + (low - slope * base)
    if case.get("linear_sigmas"):
        # What the FLUX pipelines hand over.
        steps = case["steps"]
        scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), **extra)
        return
    if case.get("strength"):
        extra["strength"] = case["strength"]
    scheduler.set_timesteps(case["steps"], **extra)


def run(case: dict) -> dict:
    """What diffusers makes of the case."""
    scheduler = load(case["config"], case.get("name", ""))
    set_timesteps(scheduler, case)
    timesteps = scheduler.timesteps
    begin = case.get("begin", 0)
    expected = {"timesteps": pack(timesteps.float()), "order": scheduler.order}
    if isinstance(getattr(scheduler, "sigmas", None), torch.Tensor):
        expected["sigmas"] = pack(scheduler.sigmas)
    expected["init_noise_sigma"] = float(getattr(scheduler, "init_noise_sigma", 1.0))
    if "begin" in case and hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(begin)
    generator = torch.Generator().manual_seed(case.get("seed", 7))
    sample = tensor(1000)
    if "begin" in case:
        noise = tensor(2000)
        if hasattr(scheduler, "add_noise"):
            sample = scheduler.add_noise(sample, noise, timesteps[begin : begin + 1])
        else:
            sample = scheduler.scale_noise(sample, timesteps[begin : begin + 1], noise)
        expected["noisy"] = pack(sample)
    takes_scale = hasattr(scheduler, "scale_model_input")
    step_arguments = scheduler.step.__code__.co_varnames
    extra = {}
    if "generator" in step_arguments:
        extra["generator"] = generator
    if "eta" in step_arguments:
        extra["eta"] = case.get("eta", 0.0)
    kept, samples = [], []
    last = len(timesteps) - 1
    for i in range(begin, len(timesteps)):
        if takes_scale and i == begin:
            expected["scaled"] = pack(scheduler.scale_model_input(sample, timesteps[i]))
        elif takes_scale:
            scheduler.scale_model_input(sample, timesteps[i])
        sample = scheduler.step(tensor(i), timesteps[i], sample, **extra).prev_sample
        # Each call builds on those before, so a few tell of all.
        if i - begin in (0, 4) or i == last:
            kept.append(i)
            samples.append(sample.reshape(-1))
    if not all(torch.isfinite(s).all() for s in samples):
        raise ValueError("diffusers gives no finite numbers here")
    expected["kept"] = kept
    expected["samples"] = pack(torch.cat(samples))
    return expected


SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}

# scheduler_config.json files as models ship them.
FOLDERS = {
    "sd15": {**SD, "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "set_alpha_to_one": False,
             "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None, "clip_sample": False},
    "sd21": {**SD, "_class_name": "DDIMScheduler", "_diffusers_version": "0.8.0", "clip_sample": False,
             "prediction_type": "v_prediction", "set_alpha_to_one": False, "skip_prk_steps": True,
             "steps_offset": 1, "trained_betas": None},
    "sdxl": {**SD, "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.19.0.dev0",
             "clip_sample": False, "interpolation_type": "linear", "prediction_type": "epsilon",
             "sample_max_value": 1.0, "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1,
             "timestep_spacing": "leading", "trained_betas": None, "use_karras_sigmas": False},
    "sd_turbo": {**SD, "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.24.0.dev0",
                 "clip_sample": False, "interpolation_type": "linear", "prediction_type": "epsilon",
                 "set_alpha_to_one": False, "sigma_max": None, "sigma_min": None, "skip_prk_steps": True,
                 "steps_offset": 1, "timestep_spacing": "trailing", "timestep_type": "discrete",
                 "trained_betas": None, "use_karras_sigmas": False},
    "lcm": {**SD, "_class_name": "LCMScheduler", "_diffusers_version": "0.22.0.dev0", "clip_sample": False,
            "clip_sample_range": 1.0, "dynamic_thresholding_ratio": 0.995, "original_inference_steps": 50,
            "prediction_type": "epsilon", "rescale_betas_zero_snr": False, "sample_max_value": 1.0,
            "set_alpha_to_one": True, "steps_offset": 1, "thresholding": False,
            "timestep_scaling": 10.0, "timestep_spacing": "leading", "trained_betas": None},
    "emoji": {"_class_name": "DDIMScheduler", "_diffusers_version": "0.35.2", "beta_end": 0.02,
              "beta_schedule": "linear", "beta_start": 0.0001, "clip_sample": False, "clip_sample_range": 1.0,
              "dynamic_thresholding_ratio": 0.995, "num_train_timesteps": 1000,
              "prediction_type": "v_prediction", "rescale_betas_zero_snr": False, "sample_max_value": 1.0,
              "set_alpha_to_one": False, "steps_offset": 1, "thresholding": False,
              "timestep_spacing": "trailing", "trained_betas": None},
    "dpm": {**SD, "_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.29.0",
            "algorithm_type": "dpmsolver++", "dynamic_thresholding_ratio": 0.995, "euler_at_final": False,
            "final_sigmas_type": "zero", "lambda_min_clipped": "-Infinity", "lower_order_final": True,
            "prediction_type": "epsilon", "sample_max_value": 1.0, "solver_order": 2,
            "solver_type": "midpoint", "steps_offset": 1, "thresholding": False,
            "timestep_spacing": "leading", "use_karras_sigmas": True, "use_lu_lambdas": False,
            "variance_type": None},
    "unipc": {**SD, "_class_name": "UniPCMultistepScheduler", "_diffusers_version": "0.29.0",
              "disable_corrector": [], "lower_order_final": True, "predict_x0": True,
              "prediction_type": "v_prediction", "solver_order": 2, "solver_p": None, "solver_type": "bh2",
              "rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "steps_offset": 0},
    "sigma_range": {**SD, "_class_name": "EulerDiscreteScheduler", "sigma_min": 0.05, "sigma_max": 12.0,
                    "timestep_spacing": "linspace", "use_karras_sigmas": True},
    "sd3": {"_class_name": "FlowMatchEulerDiscreteScheduler", "_diffusers_version": "0.29.0.dev0",
            "num_train_timesteps": 1000, "shift": 3.0},
    "flux_schnell": {"_class_name": "FlowMatchEulerDiscreteScheduler", "_diffusers_version": "0.30.0.dev0",
                     "base_image_seq_len": 256, "base_shift": 0.5, "max_image_seq_len": 4096,
                     "max_shift": 1.15, "num_train_timesteps": 1000, "shift": 1.0,
                     "use_dynamic_shifting": False},
}


def python_config(config: dict) -> dict:
    """JSON has no infinity; files that Python wrote have the bare word, our reader makes it text."""
    return {k: float("-inf") if v == "-Infinity" else v for k, v in config.items()}


def switching_cases():
    for folder, config in FOLDERS.items():
        for name in ["", *NAMES]:
            for steps in (4, 20) if name in ("", "dpmpp_2m_karras", "unipc") else (10,):
                yield {"id": f"{folder}/{name or 'own'}/{steps}", "folder": folder, "name": name, "steps": steps}


STEP_COUNTS = (1, 2, 3, 5, 10, 25)
PREDICTIONS = ("epsilon", "v_prediction", "sample")
SPACINGS = ("leading", "trailing", "linspace")
SPACED = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas")


def variants(class_name: str, options):
    """One case per entry of options: (steps, options of the class, more of the case)."""
    for number, (steps, changed, more) in enumerate(options):
        what = ",".join(f"{k}={v}" for k, v in {**changed, **more}.items()) or "defaults"
        if len(what) > 90:
            what = f"{what[:80]}...{number}"
        yield {"id": f"{class_name}/{steps}/{what}", "config": {"_class_name": class_name, **changed},
               "steps": steps, **more}


def common_variants(zero_snr: bool, predictions=PREDICTIONS, spaced=()):
    sd = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    for steps in STEP_COUNTS:
        yield steps, {}, {}
    for spacing in SPACINGS:
        yield 10, {**sd, "timestep_spacing": spacing, "steps_offset": 1}, {}
        yield 7, {**sd, "timestep_spacing": spacing}, {"begin": 2}
    for prediction in predictions:
        yield 10, {**sd, "prediction_type": prediction}, {}
        if zero_snr and prediction != "epsilon":
            yield 8, {**sd, "prediction_type": prediction, "rescale_betas_zero_snr": True,
                      "timestep_spacing": "trailing"}, {}
    for key in spaced:
        for steps in (1, 2, 5, 10, 25):
            yield steps, {**sd, key: True}, {}
        yield 8, {**sd, key: True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}, {"begin": 2}
        yield 8, {**sd, key: True, "sigma_min": 0.1, "sigma_max": 10.0}, {}
    yield 10, {"beta_schedule": "squaredcos_cap_v2"}, {}
    yield 6, {"num_train_timesteps": 100, "beta_end": 0.05}, {}
    yield 5, {"num_train_timesteps": 10, "trained_betas": [round(0.01 + 0.02 * i, 4) for i in range(10)]}, {}
    # numpy's arange overshoots here and gives one timestep more.
    yield 61, {**sd, "timestep_spacing": "trailing"}, {}


LIMITS = [(6, {"clip_sample": True, "clip_sample_range": 0.7}, {}),
          (6, {"clip_sample": False}, {}),
          (6, {"thresholding": True, "sample_max_value": 1.5}, {}),
          (6, {"thresholding": True, "dynamic_thresholding_ratio": 0.8, "sample_max_value": 3.0}, {})]
THRESHOLDS = [entry for entry in LIMITS if "thresholding" in entry[1]]


def class_cases():
    yield from variants("DDIMScheduler", [
        *common_variants(True), *LIMITS, (10, {"set_alpha_to_one": False}, {}),
        (10, {"clip_sample": False}, {"eta": 1.0}), (10, {"clip_sample": False}, {"eta": 0.4, "begin": 3}),
        (5, {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing",
             "clip_sample": False}, {"eta": 0.5})])
    yield from variants("DDPMScheduler", [
        *common_variants(True), *LIMITS,
        *[(6, {"variance_type": v}, {}) for v in ("fixed_small", "fixed_small_log", "fixed_large")],
        (6, {"beta_schedule": "sigmoid"}, {}), (6, {"beta_schedule": "laplace"}, {})])
    pndm = [(s, {**o, "skip_prk_steps": True}, m) for s, o, m in common_variants(False, PREDICTIONS[:2])]
    prk = [(s, o, m) for s, o, m in common_variants(False, PREDICTIONS[:2]) if s >= 4 and "begin" not in m]
    yield from variants("PNDMScheduler", [*pndm, *prk, (4, {}, {}), (10, {"set_alpha_to_one": True}, {}),
                                          (10, {"skip_prk_steps": True, "steps_offset": 1}, {"begin": 1})])
    yield from variants("EulerDiscreteScheduler", [
        *common_variants(True, PREDICTIONS, SPACED), (10, {"interpolation_type": "log_linear"}, {}),
        (10, {"interpolation_type": "log_linear", "use_karras_sigmas": True}, {}),
        (10, {"final_sigmas_type": "sigma_min"}, {}),
        (10, {"timestep_type": "continuous", "prediction_type": "v_prediction", "use_karras_sigmas": True}, {}),
        (10, {"timestep_type": "continuous"}, {})])
    yield from variants("EulerAncestralDiscreteScheduler", common_variants(True, PREDICTIONS[:2]))
    yield from variants("HeunDiscreteScheduler", [
        *common_variants(False, PREDICTIONS, SPACED), *LIMITS[:2], (10, {"beta_schedule": "exp"}, {}),
        (8, {}, {"begin": 4})])
    yield from variants("LMSDiscreteScheduler", common_variants(False, PREDICTIONS, SPACED))
    yield from variants("DPMSolverMultistepScheduler", [
        *common_variants(True, PREDICTIONS, SPACED), *THRESHOLDS, *dpm_variants(),
        (10, {"algorithm_type": "sde-dpmsolver", "final_sigmas_type": "sigma_min"}, {}),
        (10, {"algorithm_type": "sde-dpmsolver", "final_sigmas_type": "sigma_min", "solver_type": "heun"}, {}),
        (10, {"euler_at_final": True, "final_sigmas_type": "sigma_min"}, {}),
        (20, {"lower_order_final": False, "final_sigmas_type": "sigma_min"}, {}),
        (20, {"final_sigmas_type": "sigma_min", "solver_order": 3}, {}),
        *[(s, {"use_lu_lambdas": True}, {}) for s in (1, 5, 20)],
        (10, {"use_lu_lambdas": True, "beta_schedule": "squaredcos_cap_v2"}, {}),
        (10, {"use_karras_sigmas": True, "beta_schedule": "squaredcos_cap_v2"}, {}),
        *[(10, {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1, "timestep_spacing": s}, {})
          for s in SPACINGS]])
    yield from variants("DPMSolverSinglestepScheduler", [
        *[v for v in common_variants(False, PREDICTIONS, SPACED) if "timestep_spacing" not in v[1]],
        *THRESHOLDS, *dpm_variants(), (9, {"lower_order_final": True}, {}), (8, {}, {"begin": 3}),
        *[(s, {"lower_order_final": True, "final_sigmas_type": "sigma_min", "solver_order": 3}, {})
          for s in (6, 7, 8)],
        *[(s, {"final_sigmas_type": "sigma_min", "solver_order": 3}, {}) for s in (6, 7, 8)],
        *[(s, {"final_sigmas_type": "sigma_min"}, {}) for s in (6, 7)]])
    yield from variants("DEISMultistepScheduler", [
        *common_variants(False, PREDICTIONS, SPACED), *THRESHOLDS,
        *[(s, {"solver_order": o}, {}) for o in (1, 3) for s in (5, 20)],
        (20, {"lower_order_final": False, "solver_order": 3}, {}), (10, {"solver_type": "midpoint"}, {}),
        *flow_variants()])
    yield from variants("UniPCMultistepScheduler", [
        *common_variants(True, PREDICTIONS, SPACED), *THRESHOLDS,
        *[(s, {"solver_order": o}, {}) for o in (1, 3) for s in (5, 20)],
        *[(10, {"predict_x0": False, "prediction_type": p, "final_sigmas_type": "sigma_min"}, {})
          for p in PREDICTIONS],
        (10, {"predict_x0": False, "solver_order": 3, "final_sigmas_type": "sigma_min"}, {}),
        (10, {"solver_type": "bh1", "final_sigmas_type": "sigma_min"}, {}),
        (10, {"solver_type": "bh1", "solver_order": 3, "final_sigmas_type": "sigma_min"}, {}),
        (10, {"disable_corrector": [0, 1, 4]}, {}), (10, {"solver_type": "midpoint"}, {}),
        (10, {"lower_order_final": False, "final_sigmas_type": "sigma_min", "solver_order": 3}, {}),
        *[(10, {key: True, "final_sigmas_type": "sigma_min"}, {}) for key in SPACED], *flow_variants(),
        (10, {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "use_karras_sigmas": True}, {}),
        (10, {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "shift_terminal": 0.1}, {}),
        *[(10, {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "use_dynamic_shifting": True,
                "time_shift_type": t}, {"tokens": 1024}) for t in ("exponential", "linear")],
        (10, {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "flow_shift": 2.0},
         {"linear_sigmas": True})])
    few = [(1, {}, {}), (2, {}, {}), (4, {}, {}), (8, {}, {}), (50, {}, {}), *LIMITS,
           *[(4, {"prediction_type": p}, {}) for p in PREDICTIONS],
           (4, {"original_inference_steps": 100}, {}), (4, {"set_alpha_to_one": False}, {}),
           (4, {"timestep_scaling": 0.01}, {}), (4, {"beta_schedule": "linear"}, {"begin": 1}),
           (4, {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}, {}),
           (3, {}, {"strength": 0.5}), (7, {}, {"strength": 0.33})]
    yield from variants("LCMScheduler", few)
    yield from variants("TCDScheduler", [*few, (4, {}, {"eta": 0.3}), (8, {}, {"eta": 1.0}), (1, {}, {"eta": 0.3})])
    flow = [*[(s, {"shift": 3.0}, {}) for s in STEP_COUNTS], *[(s, {}, {}) for s in (4, 28)],
            (10, {"shift": 3.0}, {"begin": 4}), (6, {"num_train_timesteps": 500, "shift": 2.0}, {})]
    dynamic = {"use_dynamic_shifting": True}
    yield from variants("FlowMatchEulerDiscreteScheduler", [
        *flow, *[(8, {key: True, "shift": 3.0}, {}) for key in SPACED],
        *[(8, {key: True, **dynamic}, {"tokens": 256, "linear_sigmas": True}) for key in SPACED],
        *[(s, dynamic, {"tokens": t, "linear_sigmas": True}) for s in (1, 4, 10) for t in (256, 1024, 4096)],
        (10, dynamic, {"tokens": 777}), (4, {}, {"linear_sigmas": True}),
        (10, dynamic, {"tokens": 1024, "linear_sigmas": True, "begin": 3}),
        (10, {**dynamic, "time_shift_type": "linear"}, {"tokens": 1024}),
        (10, {**dynamic, "time_shift_type": "linear"}, {"tokens": 1024, "linear_sigmas": True}),
        (10, {**dynamic, "base_shift": 0.3, "max_shift": 2.0, "max_image_seq_len": 8192}, {"tokens": 3000}),
        (10, {"shift_terminal": 0.02, "shift": 2.0}, {}),
        (10, {"shift_terminal": 0.1, **dynamic}, {"tokens": 1024, "linear_sigmas": True}),
        (10, {"invert_sigmas": True}, {}), (10, {"stochastic_sampling": True, "shift": 3.0}, {}),
        (10, {"use_karras_sigmas": True, "sigma_min": 0.03, "sigma_max": 0.9}, {})])
    yield from variants("FlowMatchHeunDiscreteScheduler", flow)


def dpm_variants():
    for algorithm, solver, order in itertools.product(
            ("dpmsolver++", "sde-dpmsolver++", "dpmsolver"), ("midpoint", "heun"), (1, 2, 3)):
        options = {"algorithm_type": algorithm, "solver_type": solver, "solver_order": order}
        if algorithm == "dpmsolver":
            options["final_sigmas_type"] = "sigma_min"
        yield 10, options, {}
        if order == 3:
            yield 18, options, {}
    for prediction in PREDICTIONS:
        yield 10, {"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min", "prediction_type": prediction}, {}
    yield 10, {"final_sigmas_type": "sigma_min"}, {}
    yield from flow_variants()


def flow_variants():
    flow = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}
    for steps in (1, 4, 10, 20):
        yield steps, {**flow, "flow_shift": 3.0}, {}
    yield 10, flow, {}
    yield 10, {**flow, "flow_shift": 3.0, "solver_order": 3}, {}
    yield 8, {**flow, "flow_shift": 3.0}, {"begin": 3}
    yield 8, {**flow, "use_dynamic_shifting": True}, {"tokens": 1024}


def randn_cases():
    sizes = [1, 2, 3, 15, 16, 17, 24, 31, 100, 1, 5, 4096 + 7, 3, 16]
    for seed in (0, 1, 42, 2**31, 2**32 + 5, 2**63):
        generator = torch.Generator().manual_seed(seed)
        draws = [torch.randn(size, generator=generator) for size in sizes]
        # Of the long draw, only its ends.
        kept = [torch.cat([d[:32], d[-32:]]) if len(d) > 1000 else d for d in draws]
        yield {"seed": str(seed), "sizes": sizes, "numbers": pack(torch.cat(kept))}


def write(name: str, cases: list, **more) -> None:
    header = {"maker": "tools/golden/make_schedulers.py", "tolerance": TOLERANCE, "shape": list(SHAPE),
              "versions": {"diffusers": diffusers.__version__, "torch": torch.__version__.split("+")[0],
                           "numpy": np.__version__, "scipy": scipy.__version__}, **more}
    path = ROOT / name
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(json.dumps(header)[:-1] + ',\n"cases": [\n' + lines + "\n]}\n")
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size // 1024} KiB")


def collect(cases) -> list:
    kept, seen = [], set()
    for case in cases:
        assert case["id"] not in seen, case["id"]
        seen.add(case["id"])
        config = case.get("config") or FOLDERS[case["folder"]]
        try:
            kept.append({**case, "expected": run({**case, "config": python_config(config)})})
        except Exception as error:  # diffusers refuses this combination; so nothing to compare with
            print(f"  left out {case['id']}: {type(error).__name__}: {str(error)[:100]}", file=sys.stderr)
    return kept


def main() -> None:
    ROOT.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    write("randn.json", list(randn_cases()))
    write("classes.json", collect(class_cases()))
    write("switching.json", collect(switching_cases()), folders=FOLDERS)


if __name__ == "__main__":
    with contextlib.suppress(AttributeError):
        diffusers.logging.set_verbosity_error()
    main()
