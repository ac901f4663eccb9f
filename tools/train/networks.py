"""Sizes of the networks and the noise schedule. All are plain diffusers and transformers classes."""

import math

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from latents import CHANNELS, SIDE
from layout import GRID, PATCH_WIDTH, PLACE_LEVEL, SPOKEN_WIDTH, TOKENS_MAX
from prepare_data import SIZE_PX

TEXT_WIDTH = 320
NEGLIGIBLE_LOG_VARIANCE = -20.


def make_text_encoder(vocab_size):
    end = vocab_size - 1
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=vocab_size, max_position_embeddings=TOKENS_MAX, hidden_size=TEXT_WIDTH, projection_dim=TEXT_WIDTH,
        intermediate_size=1536, num_hidden_layers=4, num_attention_heads=5, hidden_act="quick_gelu",
        bos_token_id=end - 1, eos_token_id=end, pad_token_id=end))


HEADS = 16                      # one for each 2x2 sub-block of a patch
HEAD_WIDTH = 6
FETCH_LEVEL = 15.               # how sure of the patch, and of the sub-block, a query is (logits)
SELECT_LEVEL = 20.
KEY_LEVEL = 24.
# Which of a sub-block's 16 values (kind x channel) each attention fetches: the strongest of them.
FETCHED = [[0, 1, 2, 3, 4, 5], [7, 8, 9, 10, 11, 15]]


def make_denoiser(**options):
    """Two cross-attentions at 16x16 fetch the latents that the prompt's embeddings hold (layout.py); where a position is
    it knows from the padding, which 3x3 convolutions at 4x4 can tell."""
    unet = UNet2DConditionModel(
        sample_size=SIDE, in_channels=CHANNELS, out_channels=CHANNELS, layers_per_block=1, norm_num_groups=8,
        block_out_channels=(32, HEADS * HEAD_WIDTH, 128, 160), cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=(8, HEADS, 8, 8), mid_block_type="UNetMidBlock2D", down_block_types=("DownBlock2D",) * 4,
        up_block_types=("UpBlock2D",) * 2 + ("CrossAttnUpBlock2D", "UpBlock2D"), **options)
    with torch.no_grad():
        unet.conv_out.weight.zero_()
        unet.conv_out.bias.zero_()
        read_patches(unet)
    return unet


def fetches(unet):
    """The two cross-attentions: Attention modules."""
    return [t.transformer_blocks[0].attn2 for t in unet.up_blocks[2].attentions]


def read_patches(unet):
    """Keys: the patch's place. Values: head h has those of the patch's sub-block h."""
    for fetched, attention in zip(FETCHED, fetches(unet)):
        attention.to_k.weight.zero_()
        attention.to_v.weight.zero_()
        spread = torch.randn(HEADS * HEAD_WIDTH, HEAD_WIDTH) / HEAD_WIDTH ** .5
        for h in range(HEADS):
            rows = slice(h * HEAD_WIDTH, (h + 1) * HEAD_WIDTH)
            attention.to_k.weight[rows, PATCH_WIDTH:SPOKEN_WIDTH] = KEY_LEVEL / PLACE_LEVEL * torch.cat(
                [torch.cat([circle(torch.arange(GRID)), torch.zeros(GRID, 2), torch.ones(GRID, 1), torch.zeros(GRID, 1)], 1),
                 torch.cat([torch.zeros(GRID, 2), circle(torch.arange(GRID)), torch.zeros(GRID, 2)], 1)]).T
            for d, value in enumerate(fetched):
                attention.to_v.weight[h * HEAD_WIDTH + d, 16 * h + value] = 1
            attention.to_out[0].weight[:, rows] = spread
        attention.to_out[0].bias.zero_()


def circle(at):
    """Four places in a row as four directions: [..., 2]."""
    angle = at * (2 * math.pi / GRID)
    return torch.stack([angle.cos(), angle.sin()], -1)


def ideal_queries():
    """[256 positions of 16x16, 96]: only the head of a position's own sub-block finds its patch, all others find
    positions without a place, which hold zeros."""
    side = GRID * 4
    row, column = torch.arange(side).repeat_interleave(side), torch.arange(side).repeat(side)
    place = FETCH_LEVEL * torch.cat([circle(row // 4), circle(column // 4)], 1)
    head = torch.arange(HEADS)
    agree = (row[:, None] % 4 == head // 4).float() + (column[:, None] % 4 == head % 4).float()
    sure = SELECT_LEVEL * agree - 2 * FETCH_LEVEL - 1.5 * SELECT_LEVEL
    queries = torch.cat([place[:, None].repeat(1, HEADS, 1), sure[..., None], torch.zeros_like(sure)[..., None]], 2)
    return (queries * HEAD_WIDTH ** .5 / KEY_LEVEL).flatten(1)      # attention divides by the root of its heads' width


def make_scheduler(**options):
    return DDIMScheduler(**{**dict(
        num_train_timesteps=1000, beta_schedule="linear", beta_start=1e-4, beta_end=0.02, clip_sample=False,
        prediction_type="v_prediction", set_alpha_to_one=True, steps_offset=0, timestep_spacing="trailing"), **options})


def make_autoencoder():
    channels = (8, 16, 32, 64)
    vae = AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=CHANNELS, sample_size=SIZE_PX, norm_num_groups=2,
        block_out_channels=channels, layers_per_block=1, act_fn="silu", mid_block_add_attention=False,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        scaling_factor=1.0, force_upcast=False)
    head_start(vae)
    return vae


@torch.no_grad()
def head_start(vae, level=2.):
    """Start as "shrink, enlarge again" instead of noise: random starts stalled.

    Channels 0 to 5 carry +R -R +G -G +B -B from end to end (silu(x) - silu(-x) = x). Residual blocks start at zero.
    Every stream also carries a constant +level +level -level -level ... that rules the GroupNorms' statistics and that
    their bias takes away again, so the norms start near the identity and absolute colours survive them.
    """
    def pattern(channels):
        return level * (1 - 2 * (torch.arange(channels) // 2 % 2)).float()

    def carry(conv, taps=None, has_pattern=True):
        if taps is not None:
            kernel = torch.tensor(taps, dtype=torch.float32)
            kernel = torch.outer(kernel, kernel) / kernel.sum() ** 2
            conv.weight[:6] = 0
            for row in range(6):
                if conv.in_channels in (3, CHANNELS) and not has_pattern:
                    conv.weight[row, row // 2] = kernel if row % 2 == 0 else -kernel
                else:
                    conv.weight[row, row] = kernel
        arriving = conv.weight.sum((2, 3)) @ pattern(conv.in_channels) if has_pattern else 0
        conv.bias.copy_(pattern(conv.out_channels) - arriving)

    def calm(norm):
        norm.weight.fill_(level)
        norm.bias.copy_(-pattern(norm.num_channels))

    for part in (vae.encoder, vae.decoder):
        carry(part.conv_in, [0, 1, 0], has_pattern=False)
        calm(part.conv_norm_out)
        for module in part.modules():
            kind = type(module).__name__
            if kind == "ResnetBlock2D":
                calm(module.norm1)
                calm(module.norm2)
                carry(module.conv1, has_pattern=False)
                module.conv2.weight.zero_()
                module.conv2.bias.zero_()
                if module.conv_shortcut is not None:
                    carry(module.conv_shortcut, [1])
            elif kind == "Downsample2D":
                carry(module.conv, [1, 1, 0])
            elif kind == "Upsample2D":
                carry(module.conv, [1, 2, 1])
        part.conv_out.bias.zero_()
        part.conv_out.weight[:3] = 0
        for row in range(3):
            part.conv_out.weight[row, 2 * row, 1, 1], part.conv_out.weight[row, 2 * row + 1, 1, 1] = 1, -1
    mean, spread = vae.config.latent_channels, slice(vae.config.latent_channels, None)
    vae.encoder.conv_out.weight[3:mean] *= .1
    vae.encoder.conv_out.weight[spread] = 0
    for conv in (vae.quant_conv, vae.post_quant_conv):
        conv.weight.copy_(torch.eye(conv.in_channels)[:, :, None, None])
        conv.bias.zero_()
    vae.quant_conv.bias[spread] = NEGLIGIBLE_LOG_VARIANCE


@torch.no_grad()
def join_linear_encoder(vae, encoder):
    """Let the 1x1 convolutions turn the latents into "mean colour of the block, then the rest" and back."""
    back = torch.from_numpy(encoder.back).reshape(-1, 3, CHANNELS)
    shift = torch.from_numpy(encoder.mean).reshape(-1, 3).mean(0)
    to_color = torch.eye(CHANNELS)
    # Rows 0 to 2 are the means of red, green and blue; the others keep their principal component.
    to_color[:3] = back.mean(0)
    bias = torch.zeros(CHANNELS)
    bias[:3] = shift
    vae.post_quant_conv.weight.copy_(to_color[:, :, None, None])
    vae.post_quant_conv.bias.copy_(bias)
    back_to_latents = torch.linalg.inv(to_color)
    vae.quant_conv.weight[:CHANNELS, :CHANNELS] = back_to_latents[:, :, None, None]
    vae.quant_conv.bias[:CHANNELS] = -back_to_latents @ bias
