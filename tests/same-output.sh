#!/usr/bin/env bash
# Do two builds of lpips give the same output? Runs every command on small inputs with both and compares every byte of
# stdout, the exit code and every file that is written, and whether stderr is empty (its wording may change). Nothing in
# an output says when it was made or how long it took, so nothing is left out or normalised.
#
#   bash tests/same-output.sh BEFORE AFTER [SHARED]
#
# BEFORE, AFTER  published programs, on Linux or macOS:
#                dotnet publish src/Perceptual.Cli -c Release -r linux-x64 -o before
# SHARED         the folder with weights, images and judgements; without it (../shared beside the repository), nothing
#                is compared
#
# Exit codes: 0 all the same, or nothing to compare with; 1 something differs, or BEFORE did not do what a command here
# is for; 2 usage.
set -euo pipefail

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
  echo 'usage: bash tests/same-output.sh BEFORE AFTER [SHARED]' >&2
  exit 2
fi
for program in "$1" "$2"; do
  if [ ! -f "$program" ] || [ ! -x "$program" ]; then
    echo "$program is not a program" >&2
    exit 2
  fi
done
absolute() { printf '%s/%s' "$(cd "$(dirname "$1")" && pwd)" "$(basename "$1")"; }
before=$(absolute "$1")
after=$(absolute "$2")
shared=${3:-$(dirname "${BASH_SOURCE[0]}")/../../shared}
if [ ! -d "$shared" ]; then
  echo "skipped: there is no folder $shared with the test data"
  exit 0
fi
shared=$(cd "$shared" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
inputs=$work/inputs
run=$work/run # of every command with both programs, so that outputs with paths in them agree
mkdir "$inputs"

# Becomes a program in a folder, where it finds no home, no cache and no network.
isolated() {
  cd "$1"
  shift
  exec env -u XDG_CACHE_HOME HOME="$PWD/home" PERCEPTUAL_WEIGHTS="$shared/weights" \
    http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 "$@" </dev/null
}

# --- inputs, made by BEFORE

make_input() {
  if ! (isolated "$inputs" "$before" "$@") >"$work/log" 2>&1; then
    echo "BEFORE cannot make the inputs: lpips $*" >&2
    cat "$work/log" >&2
    exit 1
  fi
}

# Makes an input of work that was killed half-way, when the file named first is there with so many bytes and the one
# named next is not.
make_half() {
  local half=$1 bytes=$2 whole=$3
  shift 3
  (isolated "$inputs" "$before" "$@") >"$work/log" 2>&1 &
  local process=$!
  until [ -f "$inputs/$half" ] && [ "$(wc -c <"$inputs/$half")" -ge "$bytes" ] || ! kill -0 "$process" 2>/dev/null; do
    sleep 0.01
  done
  kill -KILL "$process" 2>/dev/null || true
  wait "$process" 2>/dev/null || true
  if [ ! -f "$inputs/$half" ] || [ -e "$inputs/$whole" ]; then
    echo "BEFORE did not leave $half without $whole: lpips $*" >&2
    cat "$work/log" >&2
    exit 1
  fi
}

# A NumPy array of one float64, 0, 1/2 or 1, as the judgements of BAPPS.
judgement() {
  local byte
  case $1 in
    0) byte='\000\000' ;;
    1) byte='\340\077' ;;
    2) byte='\360\077' ;;
  esac
  printf '\223NUMPY\001\000\106\000%-69s\n' "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"
  printf '\000\000\000\000\000\000%b' "$byte"
}

# Gives a folder with triplets of `distort --pairs` made-up judgements: tables, and the files of BAPPS for both kinds.
judge() {
  local folder=$1 image name i=0
  mkdir "$folder/judge" "$folder/same"
  for image in "$folder"/ref/*.png; do
    name=$(basename "$image" .png)
    judgement $((i * 7 % 3)) >"$folder/judge/$name.npy"
    judgement $((i % 2 * 2)) >"$folder/same/$name.npy"
    i=$((i + 1))
  done
  awk -F, -v OFS=, 'BEGIN { print "reference", "p0", "p1", "judge" } NR > 1 { print $1, $2, $3, NR * 7 % 6 / 5 }' \
    "$folder/triplets.csv" >"$folder/judged.csv"
  awk -F, -v OFS=, 'BEGIN { print "reference", "distorted", "mos" } NR > 1 { print $1, $2, 1 + NR * 11 % 17 / 4 }' \
    "$folder/triplets.csv" >"$folder/opinions.csv"
}

make_inputs() {
  local images=$shared/images bugs=$shared/bugs kind
  cp "$images/ex_ref.png" "$inputs/ref.png"
  cp "$images/ex_p0.png" "$inputs/p0.png"
  cp "$images/ex_p1.png" "$inputs/p1.png"
  cp "$images/pairs/1-ref.png" "$inputs/wide.png"
  cp "$images/pairs/1-blur2.png" "$inputs/wide-blurred.png"
  cp "$images/calibration/I03-ref.bmp" "$inputs/ref.bmp"
  cp "$images/calibration/I03-dist.bmp" "$inputs/dist.bmp"
  cp "$bugs/jpeg-warnings/base.jpg" "$bugs/tiff-ycbcr444/ycc444_lzw.tif" "$bugs/gif-frame-inside/frame.gif" \
    "$bugs/icc-perceptual-only/xyb.jpg" "$bugs/fail-above-comma/turned.jpg" "$inputs"
  cp "$images/cid22/1938351.png" "$inputs/profile.png"
  # Uncompressed, 64x64, 24 bits; the pixels are bytes of some file.
  { printf '\0\0\2\0\0\0\0\0\0\0\0\0\100\0\100\0\030\040' &&
    head -c 12288 "$images/pairs/0-ref.png"; } >"$inputs/some.tga"
  # The same with 32 bits, of which 8 are transparency.
  { printf '\0\0\2\0\0\0\0\0\0\0\0\0\100\0\100\0\040\050' &&
    head -c 16384 "$images/pairs/0-ref.png"; } >"$inputs/transparent.tga"
  printf 'not weights' >"$inputs/garbage.pth"

  mkdir "$inputs/empty" "$inputs/bapps" "$inputs/few" "$inputs/broken"
  make_input distort "$images/pairs/0-ref.png" "$images/pairs/2-ref.png" --pairs 6 --size 180 --seed 2 -o bapps/cnn
  make_input distort bapps/cnn/ref --pairs 40 --seed 1 -o bapps/traditional
  judge "$inputs/bapps/cnn"
  judge "$inputs/bapps/traditional"
  for kind in ref p0 p1 judge; do
    mkdir "$inputs/few/$kind" "$inputs/broken/$kind"
    cp "$inputs/bapps/traditional/$kind"/00000* "$inputs/few/$kind"
    cp "$inputs/bapps/traditional/$kind"/00000* "$inputs/broken/$kind"
  done
  rm "$inputs/broken/p1/000003.png"
  head -c 900 "$inputs/few/p0/000002.png" >"$inputs/broken/p0/000002.png"
  judgement 1 | head -c 100 >"$inputs/broken/judge/000005.npy"

  make_input train few --net squeeze --epochs 2 --decay-epochs 1 --batch 5 --seed 4 -o trained
  mv "$inputs/trained/squeeze.safetensors" "$inputs/model.safetensors"
  rm -r "$inputs/trained"
  make_half half-scores.csv.partial 1000 half-scores.csv "${half_evaluate[@]}"
  make_half half/checkpoint.safetensors 1 half/lite.safetensors "${half_train[@]}"
  make_half half.checkpoint.safetensors 1 half.safetensors "${half_distill[@]}"
}

# What is killed half-way by BEFORE and ended by both.
half_evaluate=(evaluate 2afc bapps --metric 'fsimc,lpips-alex' --load-size 0 -o half-scores.csv)
half_train=(train few --mode tune --net lite --epochs 20 --decay-epochs 10 --batch 5 -o half --resume)
half_distill=(distill --images bapps/cnn/ref --steps 30 --batch 1 -o half.safetensors --resume)

# --- the comparison

compared=0
different=0
wrong=0

# Runs a program on a copy of the inputs and keeps what comes out, and the inputs as they are then, in a folder.
outputs() {
  local program=$1 folder=$2 code=0
  shift 2
  rm -rf "$run" "$folder"
  mkdir "$folder"
  cp -R "$inputs" "$run"
  (isolated "$run" "$program" "$@") >"$folder/stdout" 2>"$work/stderr" || code=$?
  echo "$code" >"$folder/exit code"
  if [ -s "$work/stderr" ]; then echo 'something'; else echo 'nothing'; fi >"$folder/on stderr"
  mv "$run" "$folder/files"
}

# Compares a command that is to exit with the code named first.
same() {
  local expected=$1 files
  shift
  compared=$((compared + 1))
  outputs "$before" "$work/before" "$@"
  if [ "$(cat "$work/before/exit code")" != "$expected" ]; then
    wrong=$((wrong + 1))
    echo "wrong    lpips $*: BEFORE exits with $(cat "$work/before/exit code"), not $expected"
    sed 's/^/           /' "$work/stderr"
  fi
  outputs "$after" "$work/after" "$@"
  if files=$(cd "$work" && diff -rq before after); then
    echo "same     lpips $*"
  else
    different=$((different + 1))
    echo "differs  lpips $*"
    printf '           %s\n' "${files//$'\n'/$'\n           '}"
  fi
}

echo "making the inputs"
make_inputs

large=(bapps/cnn/ref/000000.png bapps/cnn/p0/000000.png bapps/cnn/p1/000000.png)
metrics=l2,l2-lab,psnr,ssim,ssim-luma,dssim,dssim-lab,ms-ssim,fsim,fsimc,gmsd

# compare: the networks
same 0 compare ref.png p0.png p1.png
same 0 compare ref.png p0.png p1.png --net alex --version 0.0 --format json
same 0 compare ref.png p0.png --net alex --baseline --layers --format csv --threads 1
same 0 compare ref.png p0.png p1.png --net squeeze --layers
same 0 compare ref.png p0.png --net squeeze --version 0.0 --baseline --format json
same 0 compare wide.png wide-blurred.png --net lite --format json
same 0 compare ref.png p0.png --net lite --baseline --format csv
same 0 compare ref.png p0.png --net random-alex --seed 7 --format json
same 0 compare ref.png p0.png --net random-vgg --layers --format csv
same 0 compare ref.png p0.png --net random-squeeze --version 0.0 --format json
same 0 compare ref.png p0.png --net random-lite --seed 9 --format csv
same 0 compare ref.png p0.png --weights model.safetensors --format json
same 0 compare ref.png p0.png --net squeeze --trunk "$shared/weights/squeezenet1_1_features.legacy.pth" --format json
same 0 compare ref.png p0.png --net alex --version 0.0 --lin "$shared/weights/lin/alex-v0.0.pth" --format json

# compare: metrics, maps, explanations
same 0 compare "${large[@]}" --metric "$metrics,lpips-alex,lpips-squeeze-v0.0,lpips-lite-baseline,lpips-random-vgg" \
  --format json
same 0 compare "${large[@]}" --metric "$metrics" --format csv
same 0 compare ref.png ref.png p1.png --metric lpips,psnr,ssim --net lite
same 0 compare wide.png wide-blurred.png --net alex --map map.png
same 0 compare wide.png wide-blurred.png --net squeeze --map map.npy
same 0 compare "${large[@]:0:2}" --metric gmsd --map map.png
same 0 compare "${large[@]:0:2}" --metric dssim-lab --map map.npy
same 0 compare ref.png p0.png p1.png --net alex --explain
same 0 compare ref.png p0.png --net squeeze --explain --format csv
same 0 compare ref.png p1.png --net lite --explain --format json

# compare: images
same 0 compare ref.png base.jpg ycc444_lzw.tif some.tga turned.jpg --net lite --format csv
same 0 compare frame.gif frame.gif --net lite
same 0 compare ref.bmp dist.bmp --metric lpips-alex,gmsd --format csv
same 0 compare xyb.jpg xyb.jpg profile.png --resize bicubic --metric psnr,lpips-lite --format csv
same 0 compare profile.png wide.png --icc --resize lanczos --metric psnr,lpips-lite --format csv
same 0 compare ref.png transparent.tga --alpha white --net alex --format csv
same 0 compare ref.png transparent.tga --alpha drop --net alex --format csv

# compare: what is refused
same 1 compare ref.png transparent.tga
same 1 compare xyb.jpg xyb.jpg --icc
same 1 compare ref.png nowhere.png
same 1 compare ref.png wide.png
same 1 compare ref.png p0.png --weights garbage.pth
same 2 compare ref.png p0.png --no-such-option
same 3 compare ref.png p0.png --net lite --fail-above 0.1
same 4 compare ref.png p0.png --net vgg

# folders and pairs
same 0 folders bapps/cnn/ref bapps/cnn/p0
same 0 folders bapps/cnn/ref bapps/cnn/p1 --net squeeze --layers --format csv -o distances.json
same 0 folders bapps/traditional/ref few/p1 --allow-unpaired --metric lpips-lite,psnr --format json -o distances.csv
same 1 folders bapps/traditional/ref few/p1
same 0 pairs few/ref --net alex --format csv
same 0 pairs few/ref --consecutive --metric ssim,lpips-lite -o distances.csv

# judgements
same 0 evaluate 2afc bapps --metric lpips-alex,lpips-lite,psnr --versus psnr -o scores.csv --plot scores.png
same 0 evaluate 2afc bapps/traditional/judged.csv --net squeeze -o scores.json --bootstrap-seed 3
same 0 "${half_evaluate[@]}"
same 0 evaluate jnd bapps --metric lpips-alex,ssim -o scores.json --plot curves.png
same 0 evaluate mos bapps/traditional/opinions.csv --metric lpips-alex,psnr,fsim -o scores.json
same 0 evaluate recorded "$shared/bapps/cnn.csv" "$shared/bapps/color.csv" --plot scores.png
same 1 evaluate 2afc broken
same 0 dataset check bapps
same 1 dataset check broken
same 1 dataset check empty

# distortions
same 0 distort --list
same 0 distort bapps/cnn/ref --pairs 100 --seed 5 -o triplets
same 0 distort wide.png --kind blur:0.4,white-noise:0.3,jpeg:0.7 --seed 7 -o distorted.png
same 0 distort wide.png --kind cubic-warp --strength 0.6 -o distorted.png
same 2 distort wide.png --kind fog:0.1 -o distorted.png

# what learns
same 0 optimize ref.png p0.png -o better.png --net alex --steps 6 --every 2 --lr 0.01 --frames frames --plot falling.png
same 0 optimize ref.png -o better.png --net lite --steps 3 --every 1 --format json
same 0 optimize ref.png p1.png -o better.png --net random-vgg --steps 2 --format csv
same 0 train few --net alex --epochs 2 --decay-epochs 1 --batch 5 --validate few --format pth --plot curves.png \
  -o trained
same 0 train bapps/traditional/judged.csv --net squeeze --epochs 1 --decay-epochs 1 --hold-out 5 --load-size 48 \
  -o trained
same 0 train few --mode scratch --net lite --epochs 1 --decay-epochs 1 --batch 5 --seed 3 -o trained
same 0 train few --mode tune --net squeeze --epochs 1 --decay-epochs 0 --batch 5 --dropout 0 -o trained
same 0 "${half_train[@]}"
same 0 distill --images bapps/cnn/ref --validate bapps/cnn/p0 --steps 4 --batch 1 --seed 3 -o small.safetensors \
  --plot small.png
same 0 "${half_distill[@]}"
same 0 init kmeans --net lite --images bapps/cnn/ref --seed 2 -o kmeans.safetensors

# weights and models
same 0 export --net alex -o model.onnx
same 0 export --net lite --baseline -o model.onnx
same 0 export --net squeeze --version 0.0 -o model.onnx
same 0 weights list
same 0 weights verify
same 0 weights import "$shared/weights/squeezenet1_1_features.legacy.pth" "$shared/weights/lin/alex-v0.1.pth" \
  --weights empty
same 1 weights import garbage.pth --weights empty

echo
echo "$compared commands compared: $((compared - different)) the same, $different differ," \
  "$wrong do not do with BEFORE what they are here for"
[ $((different + wrong)) -eq 0 ]
