#!/usr/bin/env bash
# fetch_photos.sh FOLDER: photographs for the matting network's backgrounds, from Debian's wallpaper packages (CC BY-SA,
# CC0 and GPL-2+; each package's copyright file is copied beside them). Shrunk: 256 pixels are all that is looked at.
set -euo pipefail
target=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds; do
  apt-get download -q "$package"
  dpkg-deb -x "$package"_*.deb "$package"
  cp "$package/usr/share/doc/$package/copyright" "$target/$package.copyright"
done
"${PYTHON:-python3}" - "$target" <<'EOF'
import pathlib, sys
from PIL import Image
for file in sorted(pathlib.Path().rglob("*")):
    is_photo = "lomiri" in str(file) or "nature" in str(file)
    if is_photo and file.is_file() and not file.is_symlink() and file.suffix.lower() in (".jpg", ".png"):
        photo = Image.open(file).convert("RGB")
        photo.thumbnail((1024, 1024), Image.LANCZOS)
        photo.save(pathlib.Path(sys.argv[1]) / f"{file.stem}.jpg", quality=90)
EOF
ls "$target" | wc -l
