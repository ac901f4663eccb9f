"""What the text encoder and the denoiser of a run make of captions, without the decoder."""

import torch
from transformers import CLIPTokenizer

from common import load
from latents import CHANNELS, SIDE
from layout import TOKENS_MAX
from networks import make_denoiser, make_scheduler, make_text_encoder


class Painter:
    """Captions → latents [B, 4, 32, 32], numpy. Other noise each time, as many steps as the model is exported for."""

    def __init__(self, run, device, steps=2):
        self.device, self.steps = device, steps
        self.tokenizer = CLIPTokenizer.from_pretrained(run / "tokenizer")
        self.text = make_text_encoder(len(self.tokenizer)).to(device).eval()
        self.text.load_state_dict(load(run / "text_encoder.pt", device))
        self.unet = make_denoiser().to(device).eval()
        self.unet.load_state_dict(load(run / "denoiser.pt", device)["average"]["kept"])

    @torch.no_grad()
    def __call__(self, captions):
        ids = self.tokenizer(captions, padding="max_length", truncation=True, max_length=TOKENS_MAX,
                             return_tensors="pt").input_ids.to(self.device)
        hidden = self.text(input_ids=ids).last_hidden_state
        scheduler = make_scheduler()
        scheduler.set_timesteps(self.steps)
        x = torch.randn(len(captions), CHANNELS, SIDE, SIDE, device=self.device)
        for t in scheduler.timesteps:
            x = scheduler.step(self.unet(x, t, hidden).sample, t, x).prev_sample
        return x.cpu().numpy()
