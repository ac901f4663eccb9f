"""What every training script needs: device, seeds, checkpoints that survive a kill, averaged weights, several workers."""

import argparse
import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import numpy as np
import torch


def arguments(description, **more):
    """DATA_DIR RUN_DIR and the options common to all scripts. more: name → (default, help)."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop early; the next call goes on")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads per worker")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--print-every", type=int, default=100, help="steps between lines of figures")
    parser.add_argument("--save-every", type=float, default=150, help="seconds between checkpoints")
    for name, (default, text) in more.items():
        kind = {"action": "store_true"} if default is False else {"type": type(default)}
        parser.add_argument("--" + name.replace("_", "-"), default=default, help=text, **kind)
    options = parser.parse_args()
    if options.device == "auto":
        options.device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(options.threads)
    return options


def fix_seeds(seed):
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def autocast(device):
    """bf16 where it is fast: on a GPU, and on CPUs with bf16 dot products."""
    with_bf16 = device == "cuda" or bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
    return torch.autocast(device, torch.bfloat16) if with_bf16 else contextlib.nullcontext()


def save(path, state):
    torch.save(state, f"{path}.tmp")
    os.replace(f"{path}.tmp", path)


def load(path, device="cpu"):
    return torch.load(path, map_location=device) if pathlib.Path(path).exists() else None


class Averaged:
    """An exponential moving average of parameters: what is sampled and exported."""

    def __init__(self, named_parameters, decay=.999):
        self.names, self.live = zip(*named_parameters)
        self.kept = [p.detach().clone() for p in self.live]
        self.decay, self.step = decay, 0

    @torch.no_grad()
    def update(self):
        self.step += 1
        decay = min(self.decay, self.step / (self.step + 9))
        torch._foreach_lerp_(self.kept, [p.detach() for p in self.live], 1 - decay)

    def state(self):
        return {"step": self.step, "kept": dict(zip(self.names, self.kept))}

    def restore(self, state):
        self.step = state["step"]
        for name, kept in zip(self.names, self.kept):
            kept.copy_(state["kept"][name])


class Progress:
    """Counts samples towards the target of a stage, over as many calls as it takes, and sets the learning rate: warm-up
    after every start, then constant, then down to 2 % over the last share of the samples."""

    def __init__(self, options, checkpoint, stage=""):
        self.options, self.stage = options, stage
        checkpoint = checkpoint or {}
        self.step = checkpoint.get("step", 0)
        self.seen = checkpoint.get("seen", 0) if checkpoint.get("stage", stage) == stage else 0
        self.start, self.saved, self.first_step, self.first_seen = time.time(), time.time(), self.step, self.seen
        self.figures, self.is_told_to_stop = {}, False
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_):
        self.is_told_to_stop = True

    def is_over(self):
        is_late = time.time() - self.start >= self.options.minutes * 60
        return self.seen >= self.options.samples or is_late or self.is_told_to_stop

    def exit_status(self):
        """0 when the samples are done, 3 when there is more to do."""
        return 0 if self.seen >= self.options.samples else 3

    def rate(self):
        left = max(0., 1 - self.seen / self.options.samples)
        tail = .02 + .98 * min(1., left / self.options.decay) if self.options.decay else 1.
        return self.options.rate * min(1., (self.step - self.first_step + 1) / 100) * tail

    def set_rate(self, optimizer):
        for group in optimizer.param_groups:
            group["lr"] = self.rate()

    def advance(self, samples, **figures):
        """Count a step; print the mean of the figures now and then. Returns whether it is time for a checkpoint."""
        self.step += 1
        self.seen += samples
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(value)
        if (self.step - self.first_step) % self.options.print_every == 0:
            speed = (self.seen - self.first_seen) / (time.time() - self.start)
            means = {name: round(float(np.mean(values)), 5) for name, values in self.figures.items()}
            line = {"step": self.step, "samples": self.seen, "samples/s": round(speed, 1), **means}
            print(json.dumps(line), flush=True)
            self.figures = {}
        if time.time() - self.saved < self.options.save_every:
            return False
        self.saved = time.time()
        return True

    def state(self):
        return {"step": self.step, "seen": self.seen, "stage": self.stage}


class Workers:
    """One-thread processes that replace their weights by the average every few steps.

    On small networks and two cores this is much faster than threads inside one process. The first process starts the
    others with RANK set; they meet in a file. A worker that is late or gone is not waited for longer than a minute.
    """

    def __init__(self, parameters, folder, count, every=8):
        self.parameters, self.count, self.every = list(parameters), count, every
        self.rank = int(os.environ.get("RANK", 0))
        self.meetings, self.mates, self.parent = 0, [], os.getppid()
        if count == 1:
            return
        size = sum(p.numel() for p in self.parameters)
        name = pathlib.Path(sys.argv[0]).stem
        weights, turns = folder / f"{name}.weights.npy", folder / f"{name}.turns.npy"
        if self.rank == 0:
            np.lib.format.open_memmap(weights, "w+", np.float32, (2, count, size))
            np.lib.format.open_memmap(turns, "w+", np.int64, (count,))
            self.mates = [subprocess.Popen([sys.executable, *sys.argv], env={**os.environ, "RANK": str(r)},
                                           stdout=subprocess.DEVNULL) for r in range(1, count)]
        self.weights, self.turns = np.load(weights, mmap_mode="r+"), np.load(turns, mmap_mode="r+")

    @torch.no_grad()
    def after_step(self, step):
        if self.count == 1 or step % self.every:
            return
        self.meetings += 1
        slot = torch.from_numpy(self.weights[self.meetings % 2])
        slot[self.rank] = torch.cat([p.detach().flatten() for p in self.parameters])
        self.turns[self.rank] = self.meetings
        limit = time.time() + 60
        while self.turns.min() < self.meetings and time.time() < limit and not self._is_alone():
            time.sleep(.002)
        if self.turns.min() < self.meetings:
            return
        mean, at = slot.mean(0), 0
        for p in self.parameters:
            p.copy_(mean[at:at + p.numel()].view_as(p))
            at += p.numel()

    def _is_alone(self):
        """Someone died: the first worker goes on alone, the others end."""
        if self.rank and os.getppid() != self.parent:
            sys.exit("the first worker is gone")
        return any(mate.poll() is not None for mate in self.mates)

    def finish(self):
        for mate in self.mates:
            mate.kill()
            mate.wait()
