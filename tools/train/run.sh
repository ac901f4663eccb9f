#!/usr/bin/env bash
# run.sh WORK_DIR [PRESET]: everything from packages to the exported model; each step goes on where it was stopped.
#   cpu    two cores, about three hours
#   gpu    one GPU, about half an hour (never run: the sample counts are a guess)
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
[ -d "$work/photos" ] || "$here/fetch_photos.sh" "$work/photos"
step data prepare_data.py "$work/npm" "$data"
step latents latents.py "$data" "$run"
step vocabulary vocabulary.py "$work/npm" "$data" "$run"
case $preset in
  cpu)
    step text-narrow train_text.py "$data" "$run" --samples 85000 --stage scenes
    step told train_denoiser.py "$data" "$run" --samples 16500 --told
    step decoder train_autoencoder.py "$data" "$run" --samples 105000 --workers 2
    step text train_text.py "$data" "$run" --samples 228000 --workers 2 --stage wide
    step denoiser train_denoiser.py "$data" "$run" --samples 14500 --workers 2 --stage wide --rate 7e-4 --decay 0.7
    step painted train_autoencoder.py "$data" "$run" --samples 7000 --workers 2 --painted --rate 5e-4 --decay 0.7
    step matting train_matting.py "$data" "$run" --samples 54000 --workers 2 --photos "$work/photos" --export "$work/matting" ;;
  gpu)
    step told train_denoiser.py "$data" "$run" --samples 200000 --told --captions 64
    step decoder train_autoencoder.py "$data" "$run" --samples 1500000 --pictures 16
    step text train_text.py "$data" "$run" --samples 8000000 --batch 256 --stage wide
    step denoiser train_denoiser.py "$data" "$run" --samples 400000 --captions 64 --stage wide
    step painted train_autoencoder.py "$data" "$run" --samples 200000 --pictures 16 --painted
    step matting train_matting.py "$data" "$run" --samples 400000 --batch 64 --photos "$work/photos" --export "$work/matting" ;;
  *) echo "run.sh: preset: got \"$preset\", expected cpu or gpu" >&2; exit 2 ;;
esac
"$python" "$here/export.py" "$run" "$work/export"
"$python" "$here/sheet.py" "$work/export" "$work/export/contact-sheet.png"
"$python" "$here/evaluate.py" "$data" "$work/export"
