#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b-…: creates or updates the stack of the alarms and the dashboard, which are billed until the stack is deleted.
# STACK is another name of the stack. Further arguments go to aws cloudformation deploy, such as --tags.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")"
if ! grep -qF -- '"Default": "heartbeat-deepseek-r1-qwen-32b-…"' template.json; then
  echo "this script starts $PWD/template.json only if it is of heartbeat-deepseek-r1-qwen-32b-…: run it from its own folder" >&2
  exit 1
fi
stack=${STACK:-monitoring-heartbeat-deepseek-r1-qwen-32b-…}
parameters=()
# Watches the last attempt at the training job, or the training job that is named: JOB=NAME deploy.sh
name=${JOB:-}
if [ -z "$name" ]; then
  job=heartbeat-deepseek-r1-qwen-32b-…
  jobs=$(aws sagemaker list-training-jobs --region ca-central-1 --name-contains "$job" \
    --query 'TrainingJobSummaries[].[TrainingJobName, TrainingJobStatus]' --output text)
  last=0 name=$job status=
  while read -r found state; do
    if [[ $found =~ ^"$job"(-([1-9][0-9]{0,2}))?$ ]] && ((${BASH_REMATCH[2]:-1} > last)); then
      last=${BASH_REMATCH[2]:-1} name=$found status=${state%$'\r'}  # the CLI may end lines as Windows does
    fi
  done <<< "$jobs"
fi
parameters=(--parameter-overrides "TrainingJobName=$name")
aws cloudformation deploy --region ca-central-1 --stack-name "$stack" --template-file template.json \
  --no-fail-on-empty-changeset ${parameters[@]+"${parameters[@]}"} "$@" || {
  echo 'The reason is among the events of the stack:' >&2
  echo '  aws cloudformation describe-stack-events --region ca-central-1 --stack-name' "$stack" >&2
  exit 1
}
aws cloudformation describe-stacks --region ca-central-1 --stack-name "$stack" \
  --query 'Stacks[0].Outputs[].[OutputKey, OutputValue]' --output text
echo 'The alarms and the dashboard are billed until the stack is deleted:'
echo '  aws cloudformation delete-stack --region ca-central-1 --stack-name' "$stack"
