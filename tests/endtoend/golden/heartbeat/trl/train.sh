#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b-…: trains with TRL's own script; written by hbspec. Needs requirements.txt.
# train.sh DATA [ARGUMENT...]: DATA has the folders train and validation. Arguments go to trl sft.
# RUN_DIR is the folder of checkpoints and model: by default one of the run's name in the current folder.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")" && pwd)
data=$(cd -- "${1:?is the folder of the data}" && pwd)
shift
run=${RUN_DIR:-$PWD/heartbeat-deepseek-r1-qwen-32b-…}
mkdir -p -- "$run"
run=$(cd -- "$run" && pwd)
cd -- "$here"
exec trl sft --config sft.yaml --accelerate_config accelerate.yaml --dataset_name "$data" --output_dir "$run" "$@"
