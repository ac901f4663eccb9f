"""Matrices and what numpy makes of them as symmetric int8 with one scale per row.

usage: make_quantised.py OUT     (tests/golden/weights/quantised.safetensors)

scale = max|row| / 127 in float32, value = rint(row / scale), ties to even; rows of zeros have scale 1.
Tensors NAME, NAME.values and NAME.scales; compared for equality.
"""

import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file


def quantise(matrix):
    rows = matrix.reshape(len(matrix), -1)
    scales = (np.abs(rows).max(axis=1) / np.float32(127)).astype(np.float32)
    scales = np.where(scales < np.finfo(np.float32).tiny, np.float32(1), scales)
    values = np.rint(rows / scales[:, None]).astype(np.int8)
    return values.reshape(matrix.shape), scales


def main():
    random = np.random.default_rng(5)
    gauss = random.standard_normal((24, 40), dtype=np.float32)
    # Rows of very different size, as a trained layer's channels are.
    spread = gauss * np.exp(random.uniform(-12, 6, (24, 1))).astype(np.float32)
    # Halves of a step: 127 makes the scale 1.
    ties = (np.arange(-126, 126, dtype=np.float32) + 0.5).reshape(12, 21)
    ties[:, 0] = 127
    zeros = gauss[:4].copy()
    zeros[1] = 0
    zeros[2] = np.float32(1e-40)
    matrices = {
        "f32": torch.from_numpy(spread),
        "f16": torch.from_numpy(gauss * np.float32(0.03)).half(),
        "bf16": torch.from_numpy(spread).bfloat16(),
        "ties": torch.from_numpy(ties),
        "zeros": torch.from_numpy(zeros),
        "kernel_1x1": torch.from_numpy(gauss.reshape(24, 40, 1, 1).copy()),
    }
    out = {}
    for name, matrix in matrices.items():
        values, scales = quantise(matrix.float().numpy())
        out |= {name: matrix, f"{name}.values": torch.from_numpy(values), f"{name}.scales": torch.from_numpy(scales)}
    save_file(out, sys.argv[1], {"made_by": "tools/golden/make_quantised.py", "numpy": np.__version__})
    print(pathlib.Path(sys.argv[1]).stat().st_size, "bytes")


if __name__ == "__main__":
    main()
