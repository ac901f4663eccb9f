"""Sizes of the networks and the noise schedule. All are plain diffusers and transformers classes."""

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from latents import CHANNELS, SIDE
from prepare_data import SIZE_PX

TEXT_WIDTH = 256
TOKENS_MAX = 77
NEGLIGIBLE_LOG_VARIANCE = -20.


def make_text_encoder(vocab_size):
    end = vocab_size - 1
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=vocab_size, max_position_embeddings=TOKENS_MAX, hidden_size=TEXT_WIDTH, projection_dim=TEXT_WIDTH,
        intermediate_size=4 * TEXT_WIDTH, num_hidden_layers=3, num_attention_heads=4, hidden_act="quick_gelu",
        bos_token_id=end - 1, eos_token_id=end, pad_token_id=end))


def make_denoiser():
    """Down to 2x2, where a padded 3x3 convolution has its own weights for every place: that is where the shapes are
    remembered, and where they cost least. Cross-attention sits at 4x4 and 2x2."""
    unet = UNet2DConditionModel(
        sample_size=SIDE, in_channels=CHANNELS, out_channels=CHANNELS, layers_per_block=1, norm_num_groups=8,
        block_out_channels=(32, 64, 128, 224, 224), cross_attention_dim=TEXT_WIDTH, attention_head_dim=4,
        down_block_types=("DownBlock2D",) * 3 + ("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D") + ("UpBlock2D",) * 3)
    calm_start(unet)
    return unet


@torch.no_grad()
def calm_start(unet):
    """Residual branches and the output start at zero."""
    unet.conv_out.weight.zero_()
    unet.conv_out.bias.zero_()
    for module in unet.modules():
        last = {"ResnetBlock2D": "conv2", "Transformer2DModel": "proj_out"}.get(type(module).__name__)
        if last:
            getattr(module, last).weight.zero_()
            getattr(module, last).bias.zero_()


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
