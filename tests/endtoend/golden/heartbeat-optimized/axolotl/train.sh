#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b-…: trains with axolotl 0.19.0; written by hbspec.
# train.sh DATA [ARGUMENT...]: DATA has a folder for each split, train and validation.
# RUN_DIR is the folder in which heartbeat-deepseek-r1-qwen-32b-… is made, with checkpoints and model: by default the current one.
# Started again, it goes on from the newest checkpoint.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")" && pwd)
data=$(cd -- "${1:?is the folder of the data}" && pwd)
shift
cd -- "${RUN_DIR:-$PWD}"
mkdir -p heartbeat-deepseek-r1-qwen-32b-…
cd heartbeat-deepseek-r1-qwen-32b-…
if [[ -L data && $(readlink data) != "$data" ]]; then
  echo "$PWD is of a run on $(readlink data): set RUN_DIR to another folder for $data" >&2
  exit 2
fi
ln -sfn "$data" data
for file in "$here"/*.yaml "$here"/*.json "$here"/*.jinja; do if [[ -f $file ]]; then cp "$file" .; fi; done
checkpoint='' step=0
for state in model/checkpoint-*/trainer_state.json; do
  folder=${state%/*} number=${state%/*}
  number=${number##*-}
  if [[ -f $state && $number =~ ^[0-9]+$ ]] && ((number > step)); then checkpoint=$folder step=$number; fi
done
if ((step > 0)) && grep -q '"max_steps": '"$step," "$checkpoint/trainer_state.json"; then
  echo "$PWD/$checkpoint is the last update already: nothing is left to train" >&2
  exit 0
fi
hosts=()
exec accelerate launch --num_processes 8 --num_machines 1 "${hosts[@]}" -m axolotl.cli.train axolotl.yaml "$@"
