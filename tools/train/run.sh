#!/usr/bin/env bash
# run.sh WORK_DIR [PRESET]: everything from packages to the exported model; each step goes on where it was stopped.
#   cpu    two cores, hours: the short lists, then pairs, counts and colours
#   gpu    one GPU, about half an hour: all emoji, all scenes
# Finished steps leave WORK_DIR/run/NAME.done; delete one to train that step further.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$1 preset=${2:-cpu}
python=${PYTHON:-python3}
data=$work/data run=$work/run
mkdir -p "$work" "$run"
lowly=(nice -n 19)
command -v ionice >/dev/null && lowly+=(ionice -c3)

step() {  # step NAME SCRIPT ARGUMENTS...
  local name=$1 script=$2
  shift 2
  [ -e "$run/$name.done" ] && return
  echo "== $name"
  "${lowly[@]}" "$python" "$here/$script" "$@"
  touch "$run/$name.done"
}

[ -d "$work/npm" ] || "$here/fetch_packages.sh" "$work/npm"
step data prepare_data.py "$work/npm" "$data"
step latents latents.py "$data" "$run"
step vocabulary vocabulary.py "$work/npm" "$data" "$run"
case $preset in
  cpu)
    step text train_text.py "$data" "$run" --samples 200000
    step first train_denoiser.py "$data" "$run" --samples 300000 --workers 2 --stage first
    step decoder train_autoencoder.py "$data" "$run" --samples 150000 --workers 2
    step narrow train_denoiser.py "$data" "$run" --samples 300000 --workers 2 --stage narrow
    step scenes train_denoiser.py "$data" "$run" --samples 600000 --workers 2 --stage scenes --decay 0.3
    step encoder train_autoencoder.py "$data" "$run" --samples 40000 --workers 2 --part encoder
    step distill distill.py "$data" "$run" --samples 40000 --stage scenes
    stage=narrow ;;
  gpu)
    step text train_text.py "$data" "$run" --samples 2000000 --stage wide --batch 512
    step decoder train_autoencoder.py "$data" "$run" --samples 1500000 --pictures 16 --flat
    step encoder train_autoencoder.py "$data" "$run" --samples 300000 --pictures 16 --flat --part encoder
    step narrow train_denoiser.py "$data" "$run" --samples 1000000 --captions 256
    step wide train_denoiser.py "$data" "$run" --samples 4000000 --captions 256 --stage wide --decay 0.3
    step distill distill.py "$data" "$run" --samples 300000 --captions 128 --stage wide
    stage=wide ;;
  *) echo "run.sh: preset: got \"$preset\", expected cpu or gpu" >&2; exit 2 ;;
esac
"$python" "$here/export.py" "$run" "$work/export"
"$python" "$here/sheet.py" "$work/export" "$work/export/contact-sheet.png"
"$python" "$here/evaluate.py" "$data" "$work/export" --stage "$stage"
