#!/usr/bin/env bash
# heartbeat-llama-4-scout-…: written by hbspec; every pod of the job runs it. Arguments go to the training script.
# RUN_DIR is the folder of the job, which all its pods see, and which outlives them.
# The agent takes the place of this shell: signals have to reach it.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")" && pwd)
run=${RUN_DIR:?is the folder of the job}
export PYTHONPATH="$here/source${PYTHONPATH:+:$PYTHONPATH}"
exec hyperpodrun --nnodes 1 --nproc-per-node 1 --shutdown-signal SIGTERM --shutdown-timeout 115 \
  --no-python env -u RANK -u LOCAL_RANK -u WORLD_SIZE -u LOCAL_WORLD_SIZE python -u "$here"/source/train.py --PARALLELISM pipeline --METHOD qlora --config-dir "$here" "$@" --checkpoint-dir "$run/checkpoints" --model-dir "$run/model" --output-data-dir "$run/output"
