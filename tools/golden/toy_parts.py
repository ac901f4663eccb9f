"""Parts of the toy pipelines: cut vocabularies, text encoders, autoencoders, and their scaling."""

import json
import pathlib
import shutil
import tempfile

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIP_SOURCE = ROOT / "tests" / "golden" / "tokenizers" / "clip_full"
BOS, EOS = "<|startoftext|>", "<|endoftext|>"


# --- tokenizers -----------------------------------------------------------------------------------


def write_clip_pair(folder, words, pad, length, pad_in_map=None):
    """vocab.json + merges.txt, as folders of before transformers 5 carry them."""
    folder.mkdir(parents=True, exist_ok=True)
    source = json.loads((CLIP_SOURCE / "vocab.json").read_text())
    symbols = sorted(source, key=source.get)[:512]
    merges = (CLIP_SOURCE / "merges.txt").read_text().split("\n")[1 : words - 514 + 1]
    tokens = symbols + ["".join(m.split()) for m in merges] + [BOS, EOS]
    vocab = {t: i for i, t in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    special = dict(bos_token=BOS, eos_token=EOS, unk_token=EOS, pad_token=pad)
    config = dict(tokenizer_class="CLIPTokenizer", model_max_length=length, **special)
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    special["pad_token"] = pad_in_map or pad
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")


class Tokenizer:
    """A cut CLIP vocabulary; `style` is how its folder is written."""

    def __init__(self, words=1000, pad=EOS, length=77, style="pair", pad_in_map=None):
        self.style = style
        self.folder = pathlib.Path(tempfile.mkdtemp())
        write_clip_pair(self.folder, words, pad, length, pad_in_map)
        self.tok = CLIPTokenizer.from_pretrained(self.folder)
        self.words = words

    def write(self, folder):
        if self.style == "pair":
            shutil.rmtree(folder)
            shutil.copytree(self.folder, folder)


# --- networks -------------------------------------------------------------------------------------


def clip_text(words, width, layers, heads, cls=CLIPTextModel, eos=None, **kw):
    kw = dict(intermediate_size=width * 4, projection_dim=width, hidden_act="quick_gelu") | kw
    ids = dict(bos_token_id=words - 2, eos_token_id=eos or words - 1, pad_token_id=1)
    model = cls(
        CLIPTextConfig(
            vocab_size=words,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            **ids,
            **kw,
        )
    )
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "token_embedding" in name:
                p.mul_(40)  # transformers starts at 0.02: layer norms would drown the words
            elif "position_embedding" in name:
                p.mul_(15)
            elif "self_attn" in name or "mlp" in name:
                if p.dim() == 2:
                    p.copy_(torch.randn_like(p) * 1.5 / p.shape[1] ** 0.5)
                else:
                    p.copy_(torch.randn_like(p) * 0.1)
            elif "norm" in name:
                p.add_(torch.randn_like(p) * 0.1)
    return model.eval()



def vae(widths, layers=1, latent=4, groups=4, **kw):
    n = len(widths)
    return randomise(
        AutoencoderKL(
            block_out_channels=widths,
            layers_per_block=layers,
            latent_channels=latent,
            norm_num_groups=groups,
            down_block_types=("DownEncoderBlock2D",) * n,
            up_block_types=("UpDecoderBlock2D",) * n,
            sample_size=64,
            **kw,
        )
    )


def randomise(model):
    """Every norm and bias away from 1 and 0, so that leaving one out shows; text paths louder."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 1:
                p.add_(torch.randn_like(p) * 0.1)
            if "attn2.to_v" in name or "attn2.to_out.0" in name:
                p.mul_(3.5)
            elif ".to_" in name and p.dim() == 2:
                p.mul_(2)
    return model.eval()


def calibrate(pipe, paint_latents, gain=1.0):
    """Noise of unit size for unit latents, and pixels of standard deviation 0.4 around grey."""
    g = torch.Generator().manual_seed(7)
    denoiser = pipe.unet if hasattr(pipe, "unet") else pipe.transformer
    with torch.no_grad():
        probe = {}
        hook = denoiser.register_forward_hook(lambda m, a, out: probe.update(out=out[0]))
        paint_latents()
        hook.remove()
        if hasattr(pipe, "unet"):
            rescale_output(denoiser.conv_out, probe["out"], gain)
        elif hasattr(denoiser, "all_final_layer"):
            last = denoiser.all_final_layer["2-1"].linear
            last.weight.mul_(gain / torch.cat(probe["out"]).std())
        else:
            denoiser.proj_out.weight.mul_(gain / probe["out"].std())
        if isinstance(pipe.vae, AutoencoderTiny):
            return calibrate_tiny(pipe.vae, g)
        z = unpacked(pipe, paint_latents())
        z = torch.cat([z, torch.randn(2, *z.shape[1:], generator=g)])
        z = z / pipe.vae.config.scaling_factor
        pipe.vae.decoder.conv_in.weight.mul_(2 / entry(pipe.vae, z).std())
        rescale_output(pipe.vae.decoder.conv_out, pipe.vae.decode(z).sample, 0.4)
        side = 16 * pipe.vae_scale_factor
        x = torch.nn.functional.interpolate(torch.randn(2, 3, 8, 8, generator=g), (side, side))
        moments = pipe.vae.encode(x.clamp(-1, 1)).latent_dist.parameters
        scale_encoder(pipe.vae, moments, pipe.vae.config.latent_channels)


def calibrate_tiny(vae, g):
    """The same for an autoencoder without a distribution, whose own pixels lie in 0..1."""
    z = torch.randn(2, vae.config.latent_channels, 16, 16, generator=g)
    scale_last(vae.decoder.layers[-1], (vae.decode(z).sample + 1) / 2, 0.5, 0.2)
    scale = 2 ** (len(vae.config.decoder_block_out_channels) - 1)
    x = torch.nn.functional.interpolate(torch.randn(2, 3, 8, 8, generator=g), (16 * scale,) * 2)
    scale_last(vae.encoder.layers[-1], vae.encode(x.clamp(-1, 1)).latents, 0.0, 1.0)


def scale_last(conv, out, mean, std):
    found, k = out.mean(dim=(0, 2, 3)), std / out.std()
    conv.weight.mul_(k)
    conv.bias.copy_((conv.bias - found) * k + mean)


def unpacked(pipe, latents):
    """[B, C, h, w] of FLUX's rows of 2x2 latents; others as they are."""
    if latents.dim() == 4:
        return latents
    side = int(latents.shape[1] ** 0.5) * 2 * pipe.vae_scale_factor
    return pipe._unpack_latents(latents, side, side, pipe.vae_scale_factor)


def entry(vae, z):
    return vae.decoder.conv_in(z if vae.post_quant_conv is None else vae.post_quant_conv(z))


def rescale_output(conv, out, target):
    mean = out.mean(dim=(0, 2, 3))
    conv.weight.mul_(target / out.std())
    conv.bias.copy_((conv.bias - mean) * target / out.std())


def scale_encoder(vae, moments, latent):
    """Means of unit size after the scaling factor, log variances near -4."""
    last = vae.quant_conv if vae.quant_conv is not None else vae.encoder.conv_out
    mean, spread = moments.mean(dim=(0, 2, 3)), moments.std(dim=(0, 2, 3))
    target = torch.cat([torch.full((latent,), 1 / vae.config.scaling_factor), torch.ones(latent)])
    centre = torch.cat([torch.zeros(latent), torch.full((latent,), -4.0)])
    last.weight.mul_((target / spread)[:, None, None, None])
    last.bias.copy_((last.bias - mean) * target / spread + centre)


