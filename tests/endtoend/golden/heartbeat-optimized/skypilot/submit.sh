#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b-…: launches the training with SkyPilot; written by hbspec.
# Further arguments go to `sky jobs launch`. SkyPilot's own price list decides what the machines cost.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")"
exec sky jobs launch --name heartbeat-deepseek-r1-qwen-32b-… --env SUBMITTED="$(date +%s)" "$@" task.yaml
