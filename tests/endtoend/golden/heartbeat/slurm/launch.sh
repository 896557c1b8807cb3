#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b-…: written by hbspec; every machine of the job runs it. Arguments go to the training script.
# RUN_DIR is the folder of the job, which all its machines see, and which outlives them.
# It ends with 0 when the model is there, and with 75 when a new start would go on.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")" && pwd)
run=${RUN_DIR:?is the folder of the job}
export PYTHONPATH="$here/source${PYTHONPATH:+:$PYTHONPATH}"
node_rank=0
told=0 job=
stop() { told=$((told + 1)); if [[ -n $job ]]; then kill -TERM "$job" 2> /dev/null || true; fi; }
trap stop TERM INT
# A start again has the same number: all starts together have 14220 s.
meter="$run/seconds-$SLURM_JOB_ID" used=0 late=0 metering=
if [[ -s $meter ]]; then used=$(< "$meter"); fi
measure() {
  while ((used + SECONDS < 14220)); do
    echo $((used + SECONDS)) > "$meter"
    sleep 5
  done
  kill -ALRM $$
}
trap 'late=1; stop' ALRM
if ((node_rank == 0)); then mkdir -p -- "$run"; measure > /dev/null 2>&1 & metering=$!; fi
python "$here"/source/launcher.py --nproc_per_node "${NPROC_PER_NODE:-8}" \
  "$here"/source/train.py --PARALLELISM ddp --METHOD qlora --config-dir "$here" "$@" --checkpoint-dir "$run/checkpoints" --model-dir "$run/model" --output-data-dir "$run/output" &
job=$!
if ((told)); then stop; fi
while :; do
  heard=$told code=0
  wait "$job" || code=$?
  if ((told == heard)); then break; fi
done
if [[ -n $metering ]]; then
  kill "$metering" 2> /dev/null || true
  echo $((used + SECONDS)) > "$meter"
fi
complete() {
  ((node_rank > 0)) || python -c \
    "import json, sys; told = json.load(open(sys.argv[1], encoding='utf-8')); sys.exit(told['stopped_by'] is not None)" \
    "$run/output/run.json" 2> /dev/null
}
if ((code == 0)) && complete; then exit 0; fi
if ((late)); then
  echo "stopped: all 14220 s are used up; a new submission goes on from the checkpoint" >&2
  exit 124
fi
if ((code == 0 || code == 143)); then exit 75; fi
exit "$code"
