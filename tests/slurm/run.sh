#!/usr/bin/env bash
# Runs the scripts of docs/clusters.md on a real Slurm: an array of 8 parts on two nodes of this machine, of which one
# is requeued on the way and one killed with -9, and a merge that depends on them. The result must be the bytes of one
# run. Needs slurm-wlm and munge (Debian), and root. Usage: tests/slurm/run.sh LPIPS, a published program or a script.
set -euo pipefail
lpips=$(realpath "$1")
docs=$(realpath "$(dirname "$0")/../../docs/clusters.md")
work=$(mktemp -d)
started=$SECONDS
daemons=()

stop() {
  scancel --user=root 2>/dev/null || true
  for _ in {1..50}; do squeue --noheader 2>/dev/null | grep -q . || break; sleep 0.2; done
  [ ${#daemons[@]} = 0 ] || kill "${daemons[@]}" 2>/dev/null || true
  wait
  [ -z "${KEEP:-}" ] || cp -r "$work" "$KEEP"
  rm -rf "$work"
}
trap stop EXIT

# A cluster of its own: nothing of it is outside of the folder, and it has ports of its own.
mkdir -p "$work"/{bin,munge,state,spool.n1,spool.n2,job}
chmod 711 "$work"
chmod 700 "$work/munge"
ln -s "$lpips" "$work/bin/lpips"
export PATH="$work/bin:$PATH" SLURM_CONF="$work/slurm.conf"
dd if=/dev/urandom of="$work/munge/key" bs=1 count=1024 status=none
chmod 600 "$work/munge/key"
port=$((20000 + $$ % 20000))
host=$(hostname -s)
cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket,cred_expire=6
CredType=cred/munge
SlurmctldPort=$port
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.%n.log
SlurmdSpoolDir=$work/spool.%n
StateSaveLocation=$work/state
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
MpiDefault=none
KillWait=2
ReturnToService=2
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=2 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=2 State=UNKNOWN
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
END
munged --foreground --force --key-file="$work/munge/key" --socket="$work/munge/socket" \
  --pid-file="$work/munge/pid" --log-file="$work/munge/log" --seed-file="$work/munge/seed" 2>/dev/null &
daemons+=($!)
until [ -S "$work/munge/socket" ]; do sleep 0.1; done
slurmctld -D 2>/dev/null &
daemons+=($!)
for node in n1 n2; do
  slurmd -D -N "$node" 2>/dev/null &
  daemons+=($!)
done
until [ "$(sinfo --noheader --states=idle --format=%D 2>/dev/null)" = 2 ]; do
  if [ $((SECONDS - started)) -gt 110 ]; then
    tail "$work"/*.log >&2
    echo 'Slurm does not start' >&2
    exit 1
  fi
  sleep 0.2
done
echo "Slurm started in $((SECONDS - started)) s"

# The scripts of the page, in the order in which they stand there.
cd "$work/job"
awk '/^```bash$/ { n++; on = 1; next } /^```$/ { on = 0 } on { print > "block" n }' "$docs"
cp block1 parts.sbatch
lpips distort "$(dirname "$docs")/../samples/reference.png" --pairs 10 --size 192 -o triplets
{
  echo reference,distorted
  for i in {0..47999}; do echo "triplets/ref/00000$((i % 10)).png,triplets/p$((i % 2))/00000$((i / 10 % 10)).png"; done
} >pairs.csv
lpips pairs --list pairs.csv --net lite -o one-run.csv >one-run.txt

source block2
wait_for_rows() {
  local rows=()
  while [ ${#rows[@]} -lt 20 ]; do
    if [ -e "parts/$1.shard" ]; then
      echo "part $1 was whole before it could be stopped" >&2
      exit 1
    fi
    sleep 0.01
    mapfile -t rows 2>/dev/null <"parts/$1.shard.part" || true
  done
}
wait_for_rows 1
scontrol requeue "${array}_1"
wait_for_rows 3
kill -9 "$(find /proc/[0-9]*/fd -lname "$work/job/parts/3.shard.part" 2>/dev/null | head -1 | cut -d / -f 3)"
until ! squeue --noheader | grep -q .; do
  if [ $((SECONDS - started)) -gt 600 ]; then
    squeue >&2
    echo 'the jobs do not end' >&2
    exit 1
  fi
  sleep 0.5
done
grep -c 'continuing after' slurm-*.out | grep -v ':0$'
[ "$(cat slurm-*.out | grep -c 'continuing after')" = 2 ]
cmp values.csv one-run.csv
cmp table.txt one-run.txt
echo "an array of 8 with two tasks stopped is the bytes of one run: $((SECONDS - started)) s"
