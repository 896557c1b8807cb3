#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b-eval-…: starts the evaluation of the trained model, which is billed until it ends.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")"
if ! grep -qF -- '"ProcessingJobName": "heartbeat-deepseek-r1-qwen-32b-eval-…"' create_processing_job.json; then
  echo "this script starts $PWD/create_processing_job.json only if it is of heartbeat-deepseek-r1-qwen-32b-eval-…: run it from its own folder" >&2
  exit 1
fi
# Deploys the last completed attempt at the training job, or the training job that is named: evaluate.sh JOB
name=${1:-}
if [ -z "$name" ]; then
  job=heartbeat-deepseek-r1-qwen-32b-…
  jobs=$(aws sagemaker list-training-jobs --region ca-central-1 --name-contains "$job" --status-equals Completed \
    --query 'TrainingJobSummaries[].[TrainingJobName, TrainingJobStatus]' --output text)
  last=0 name=$job status=
  while read -r found state; do
    if [[ $found =~ ^"$job"(-([1-9][0-9]{0,2}))?$ ]] && ((${BASH_REMATCH[2]:-1} > last)); then
      last=${BASH_REMATCH[2]:-1} name=$found status=${state%$'\r'}  # the CLI may end lines as Windows does
    fi
  done <<< "$jobs"
  if ((last == 0)); then
    echo "$job: no attempt at this training job has completed. Compile the target sagemaker and run its" >&2
    echo "submit.sh, or name another training job: evaluate.sh JOB" >&2
    exit 1
  fi
  echo "Using the model of $name ($status)."
fi
case $name in heartbeat-deepseek-r1-qwen-32b-… | heartbeat-deepseek-r1-qwen-32b-…-[0-9]*) ;; *)
  echo "$name is not an attempt at "heartbeat-deepseek-r1-qwen-32b-…', of which the evaluation is' >&2
  exit 1 ;;
esac
trained=$(aws sagemaker describe-training-job --region ca-central-1 --training-job-name "$name" \
  --query ModelArtifacts.S3ModelArtifacts --output json)
trained=${trained%$'\r'}  # the CLI may end lines as Windows does
if [ "$trained" = null ]; then echo "$name: this training job has no model" >&2; exit 1; fi
case $trained in *'.tar.gz"') ;; *) echo "$name: its model is unpacked, but this spec serves an archive" >&2; exit 1 ;; esac
compiled='"s3://heartbeat/models/heartbeat-deepseek-r1-qwen-32b-…/output/model.tar.gz"'
body=$(<create_processing_job.json)
body=${body%%"$compiled"*}$trained${body#*"$compiled"}
aws s3 cp --region ca-central-1 --no-progress --recursive source/ s3://heartbeat/models/heartbeat-deepseek-r1-qwen-32b-…/evaluation/…/code/
aws sagemaker create-processing-job --region ca-central-1 --cli-input-json "$body" \
  --processing-job-name heartbeat-deepseek-r1-qwen-32b-eval-…-$(date -u +%y%m%d%H%M)
echo 'The record, and the answers as they come, are in s3://heartbeat/models/heartbeat-deepseek-r1-qwen-32b-…/evaluation/…/record/'
