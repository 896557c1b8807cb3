#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b-…: creates the TrainJob; written by hbspec.
# CLAIM is a PersistentVolumeClaim, which all nodes can mount. It holds this folder under the job's name, the
# data under data/train and data/validation, and in base-model the model's files where model.source is set.
# IMAGE has Python, PyTorch for the GPUs, and what requirements.txt names.
# QUEUE is the queue of Kueue that the job waits in, where the cluster has queues. Arguments go to kubectl.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")"
claim=${CLAIM:?is the PersistentVolumeClaim of the job} image=${IMAGE:?is the image of its containers}
for word in "$claim" "$image" "${QUEUE:-}"; do
  case $word in *[!A-Za-z0-9._:/@-]*)
    echo "$word: not the name of a claim, an image or a queue" >&2
    exit 2 ;;
  esac
done
labels=${QUEUE:+kueue.x-k8s.io/queue-name: $QUEUE}
sed "s|CLAIM-OF-THE-CLUSTER|$claim|; s|IMAGE-OF-THE-CLUSTER|$image|; s|labels: {}|labels: {$labels}|" trainjob.yaml | kubectl create "$@" --filename -
