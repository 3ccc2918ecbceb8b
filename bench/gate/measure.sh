#!/usr/bin/env bash
# What every tool says of the pictures of shoot.mjs, and how long it takes: out/gate.json, out/singles.json,
# out/TOOL.csv, out/times.txt. LPIPS names our program; the weights of alex are where PERCEPTUAL_WEIGHTS says.
set -euo pipefail
cd "$(dirname "$0")"
TIMEFORMAT='%R s, %U s of processors'
gate() { code=0; "${LPIPS:?}" gate out/baseline out/actual "$@" >/dev/null || code=$?; [ $code = 3 ]; }
{
  echo -n 'gate: '
  { time gate -o out/gate.json 2>/dev/null; } 2>&1
  for tool in pixelmatch odiff looks-same blazediff ssim.js; do
    echo -n "$tool: "
    { time node compare.mjs "$tool"; } 2>&1
  done
} | tee out/times.txt
gate --limits singles.json -o out/singles.json
for tool in pixelmatch odiff looks-same blazediff ssim.js; do
  node compare.mjs "$tool" --grid
done
