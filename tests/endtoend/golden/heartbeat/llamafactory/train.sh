#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b-…: trains with LLaMA-Factory 0.9.5; written by hbspec.
# train.sh DATA [ARGUMENT...]: DATA has a folder for each split, train and validation.
# RUN_DIR is the folder in which heartbeat-deepseek-r1-qwen-32b-… is made, with checkpoints and model: by default the current one.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")" && pwd)
data=$(cd -- "${1:?is the folder of the data}" && pwd)
shift
cd -- "${RUN_DIR:-$PWD}"
mkdir -p heartbeat-deepseek-r1-qwen-32b-…
for file in "$here"/*.yaml "$here"/*.json; do if [[ -f $file ]]; then cp "$file" heartbeat-deepseek-r1-qwen-32b-…/; fi; done
cd heartbeat-deepseek-r1-qwen-32b-…
ln -sfn "$data" data
hosts=()
exec accelerate launch --num_processes 8 --num_machines 1 "${hosts[@]}" -m llamafactory.launcher llamafactory.yaml "$@"
