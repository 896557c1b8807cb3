#!/usr/bin/env bash
# heartbeat-llama-3-3-70b: written by hbspec. Needs requirements.txt; all arguments go to the script.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")" && pwd)
export PYTHONPATH="$here/source${PYTHONPATH:+:$PYTHONPATH}"
exec python "$here"/source/train.py --PARALLELISM pipeline --METHOD qlora --config-dir "$here" "$@"
