#!/usr/bin/env bash
# Looks for files that a reader crashes on, hangs on, takes too much memory for or reads in two ways: afl-fuzz with the
# coverage of our assemblies, MINUTES for each target, two at a time. With 0 minutes it only builds. What an earlier run
# has reached is gone on with. The exit code is 1 if there are such files; they are listed at the end.
# Needs afl++, the .NET 10 SDK and a /dev/shm; not part of the tests.
#   bash bench/fuzz.sh MINUTES [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=$1
shift
work=artifacts/fuzz

dotnet build -c Release bench/Perceptual.Fuzz
rm -rf "$work/bin" "$work/seeds"
mkdir -p "$work"
cp -r bench/Perceptual.Fuzz/bin/Release/net10.0 "$work/bin"
"$work/bin/Perceptual.Fuzz" seeds "$work/seeds"
[ -x "$work/tool/sharpfuzz" ] || dotnet tool install SharpFuzz.CommandLine --tool-path "$work/tool"
for assembly in Perceptual Perceptual.Imaging Perceptual.Judgements Perceptual.Training Perceptual.Onnx; do
  "$work/tool/sharpfuzz" "$work/bin/$assembly.dll"
done
[ "$minutes" -gt 0 ] || exit 0

# A small heap, so that a quarter of the memory is little; and files in memory.
export DOTNET_GCHeapHardLimit=0x20000000
TMPDIR=$(mktemp -d /dev/shm/fuzz.XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
export AFL_NO_UI=1 AFL_AUTORESUME=1
[ $# -gt 0 ] || set -- $(ls "$work/seeds")
printf '%s\n' "$@" | xargs -P 2 -I{} sh -c "
  timeout -s INT $((60 * minutes + 60)) nice afl-fuzz -i $work/seeds/{} -o $work/{} -V $((60 * minutes)) -t 10000 \
    -m none -- $work/bin/Perceptual.Fuzz {} > $work/{}.log 2>&1 || tail $work/{}.log"

grep -H -E 'run_time|execs_done|edges_found|saved_(crashes|hangs)' "$work"/*/default/fuzzer_stats
! find "$work" \( -path '*/crashes/id*' -o -path '*/hangs/id*' \) | grep .
