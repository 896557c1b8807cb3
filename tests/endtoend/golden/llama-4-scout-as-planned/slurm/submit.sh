#!/usr/bin/env bash
# heartbeat-llama-4-scout-…: submits the training to Slurm; written by hbspec.
# submit.sh --train-dir TRAIN [--validation-dir VALIDATION] [--base-dir MODEL]: arguments go to the training script.
# RUN_DIR is the folder of the job, for checkpoints, model and log, which all nodes see: by default one
# of the job's name in the current folder. The job has this environment: Python with requirements.txt.
# Set SBATCH_PARTITION and SBATCH_ACCOUNT where the cluster has no default; Slurm reads them. How the cluster
# calls its GPUs is not known here: SBATCH_CONSTRAINT or SBATCH_GPUS_PER_NODE choose them.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")" && pwd)
if ! command -v sbatch > /dev/null; then
  echo "sbatch is not installed: run this where jobs are submitted to Slurm" >&2
  exit 1
fi
run=${RUN_DIR:-$PWD/heartbeat-llama-4-scout-…}
mkdir -p -- "$run"
run=$(cd -- "$run" && pwd)
echo "judged for 1 node with 8 x A100-40 each; the job is in $run" >&2
exec sbatch --output="${run//%/%%}/slurm-%j.log" "$here"/job.sbatch "$here" "$run" "$@"
