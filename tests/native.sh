#!/usr/bin/env bash
# Tries a published C library, and the Python package made from it:
#
#   dotnet publish src/Perceptual.Native -c Release -r linux-x64 -o artifacts/native
#   bash tests/native.sh
#
# What a machine lacks (gcc, Python with numpy and Pillow, PyTorch, weights) is named, and its tests are skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
native=$PWD/artifacts/native
python=/usr/bin/python3
if [ -z "${PERCEPTUAL_WEIGHTS:-}" ] && [ -d ../shared/weights ]; then
  export PERCEPTUAL_WEIGHTS=$(cd ../shared/weights && pwd)
fi

if [ ! -f "$native/lib/libperceptual.so" ]; then
  echo "skipped: $native has no library; the first line of this script's comment publishes it" >&2
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if command -v gcc >/dev/null; then
  export PKG_CONFIG_PATH=$native/lib/pkgconfig
  flags=(-std=c11 -Wall -Wextra -Werror -O1 -I"$native/include" -L"$native/lib" "-Wl,-rpath,$native/lib")
  gcc tests/native/check.c -o "$work/check" "${flags[@]}" -lperceptual -lm -pthread
  "$work/check"
  gcc samples/c/distance.c -o "$work/distance" "${flags[@]}" -lperceptual
else
  echo 'skipped: the C library, because there is no gcc' >&2
fi

if ! "$python" -c 'import ensurepip, numpy, PIL, venv' 2>/dev/null; then
  echo 'skipped: the Python package, because there is no Python with venv, numpy and Pillow' >&2
  exit 0
fi
wheel=$("$python" python/build_wheel.py "$native" artifacts)
ls -lh "$wheel"
"$python" -m venv --system-site-packages "$work/venv"
"$work/venv/bin/pip" install --quiet --no-index --no-deps "$wheel"
(cd "$work" && venv/bin/python -m unittest discover -v -s "$OLDPWD/python/tests")

if [ -x "$work/distance" ]; then
  for name in reference damaged; do
    "$python" -c "from PIL import Image; Image.open('samples/$name.png').convert('RGB').save('$work/$name.ppm')"
  done
  "$work/distance" "$work/reference.ppm" "$work/damaged.ppm" | tee "$work/distances"
  grep -q '^lpips-lite 0.16[12]' "$work/distances"
fi
