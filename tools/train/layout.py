"""Where the picture stands in the prompt's embeddings.

The text encoder is causal: only what comes last has read the whole caption. Its last 16 positions therefore each hold one
8x8 patch of the 32x32x4 latents, all 256 values of it, and the denoiser fetches them by cross-attention. All other
positions hold zeros there. A caption longer than 61 tokens reaches into the patches; training has such captions.

A patch is written as 16 sub-blocks of 2x2 latents, so that each head of the denoiser's 16x16 level owns one sub-block;
a sub-block is written as mean, horizontal, vertical and diagonal difference (orthonormal Haar), four channels each.
"""

import torch

GRID = 4                        # patches in a row
PATCH_SIDE = 8
PATCHES = GRID * GRID
PATCH_WIDTH = PATCH_SIDE * PATCH_SIDE * 4
TOKENS_MAX = 77
FIRST_PATCH = TOKENS_MAX - PATCHES
PLACE_WIDTH = 2 * GRID          # row and column of the patch, one-hot
PLACE_LEVEL = 4.                # what "one" is
SPOKEN_WIDTH = PATCH_WIDTH + PLACE_WIDTH    # channels of the embeddings with a meaning of their own

HAAR = torch.tensor([[1., 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2    # rows: kinds, columns: places


def to_patches(latents):
    """[B, 4, 32, 32] → [B, 16 patches, 16 sub-blocks x (4 kinds x 4 channels)]."""
    x = latents.unflatten(3, (GRID, 4, 2)).unflatten(2, (GRID, 4, 2))       # B c R a y C b x
    x = x.permute(0, 2, 5, 3, 6, 4, 7, 1).flatten(5, 6)                     # B R C a b (y x) c
    x = torch.einsum("kp,...pc->...kc", HAAR.to(x), x)
    return x.flatten(1, 2).flatten(2)


def from_patches(patches):
    x = patches.unflatten(2, (4, 4, 4, 4)).unflatten(1, (GRID, GRID))       # B R C a b k c
    x = torch.einsum("kp,...kc->...pc", HAAR.to(x), x).unflatten(5, (2, 2))  # B R C a b y x c
    return x.permute(0, 7, 1, 3, 5, 2, 4, 6).flatten(5, 7).flatten(2, 4)


def places():
    """[16, 8]: what tells the patches apart."""
    at = torch.arange(PATCHES)
    one_hot = torch.nn.functional.one_hot
    return PLACE_LEVEL * torch.cat([one_hot(at // GRID, GRID), one_hot(at % GRID, GRID)], 1).float()



if __name__ == "__main__":
    some = torch.randn(2, 4, 32, 32)
    assert torch.allclose(from_patches(to_patches(some)), some, atol=1e-5)
    one = torch.zeros(1, 4, 32, 32)
    one[:, :, 8:16, 8:16] = 1       # the second patch of the second row, alike in all its sub-blocks
    energy = to_patches(one).unflatten(2, (16, 4, 4)).square().sum((2, 4))[0]
    assert torch.allclose(energy[5], torch.tensor([256., 0, 0, 0])) and energy.sum() == 256
