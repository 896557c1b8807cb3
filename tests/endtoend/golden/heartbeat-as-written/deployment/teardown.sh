#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b-ab2a39: lists what deploy.sh has made, asks, and deletes it.
# --list only lists; --yes does not ask. What lacks the deployment's tag is left alone.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")"
if ! grep -qF -- '"EndpointConfigName": "heartbeat-deepseek-r1-qwen-32b-ab2a39"' create_endpoint_config.json; then
  echo "this script starts $PWD/create_endpoint_config.json only if it is of heartbeat-deepseek-r1-qwen-32b-ab2a39: run it from its own folder" >&2
  exit 1
fi
deployment=heartbeat-deepseek-r1-qwen-32b-ab2a39
endpoint=heartbeat-live
variant=challenger
instance_type=ml.g4dn.2xlarge
alarm=heartbeat-deepseek-r1-qwen-32b-ab2a39-challenger-errors
waiting=''
scales=''
from_zero=''
at=' --region ca-central-1'
tag=hbspec:deployment
noting=hbspec:before
digits=12
scaled_resource=endpoint/heartbeat-live/variant/challenger
dimension=sagemaker:variant:DesiredInstanceCount
baseline=llama-4-scout-model
weight=0.9
shadow=''
kept_within='CurrentWeight > `0.899900` && CurrentWeight < `0.900100`'
new_within='CurrentWeight > `0.099900` && CurrentWeight < `0.100100`'
export AWS_PAGER=''
# The ARN of the resource of a kind ($1 as in commands, $2 as in answers) and a name ($3); empty for none.
found() {
  aws sagemaker "list-$1s" --region ca-central-1 --name-contains "$3" \
    --query "$2s[?$2Name=='$3'].$2Arn" --output text | tr -d '\r'
}
# Names and ARNs of a kind: the name of this deployment and a digest, newest first.
numbered() {
  aws sagemaker "list-$1s" --region ca-central-1 --name-contains "$deployment-" \
    --sort-by CreationTime --sort-order Descending --query "$2s[].[$2Name, $2Arn]" --output text | tr -d '\r' |
    { grep -E "^$deployment-[0-9a-f]{$digits}[[:space:]]" || true; }
}
# Whether this deployment made the resource with an ARN ($1). The tag says so, not the name.
ours() {
  local owner
  owner=$(aws sagemaker list-tags --region ca-central-1 --resource-arn "$1" \
    --query "Tags[?Key=='$tag'].Value" --output text) || exit
  [ "${owner%$'\r'}" = "$deployment" ]
}
# The same for an alarm, whose ARN is found by its name ($1).
alarm_arn() {
  aws cloudwatch describe-alarms --region ca-central-1 --alarm-names "$1" \
    --query 'MetricAlarms[].AlarmArn' --output text | tr -d '\r'
}
our_alarm() {
  local owner
  owner=$(aws cloudwatch list-tags-for-resource --region ca-central-1 --resource-arn "$1" \
    --query "Tags[?Key=='$tag'].Value" --output text) || exit
  [ "${owner%$'\r'}" = "$deployment" ]
}
# The registration for autoscaling of the variant, or of its inference component; empty for none.
scaled() {
  aws application-autoscaling describe-scalable-targets --region ca-central-1 --service-namespace sagemaker \
    --resource-ids "$scaled_resource" --query 'ScalableTargets[].ResourceId' --output text |
    tr -d '\r'
}
unscale() {
  aws application-autoscaling deregister-scalable-target --region ca-central-1 --service-namespace sagemaker \
    --resource-id "$scaled_resource" --scalable-dimension "$dimension"
}
# Sets the endpoint's status and the name of its configuration.
look() {
  local answer
  answer=$(aws sagemaker describe-endpoint --region ca-central-1 --endpoint-name "$endpoint" \
    --query '[EndpointStatus, EndpointConfigName]' --output text)
  read -r status current <<< "${answer%$'\r'}"
}
# Waits until the endpoint answers, or says why it does not. The CLI waits for an hour at most.
settle() {
  local round
  for round in 1 2 3; do
    if aws sagemaker wait endpoint-in-service --region ca-central-1 --endpoint-name "$endpoint"; then return; fi
    look
    case $status in Creating | Updating | SystemUpdating | RollingBack) ;; *) break ;; esac
  done
  aws sagemaker describe-endpoint --region ca-central-1 --endpoint-name "$endpoint" \
    --query '[EndpointStatus, FailureReason]' --output text >&2
  echo "The endpoint $endpoint does not answer. It is billed until it is deleted." >&2
  exit 1
}
# The configuration that a test's ($1, an ARN) has replaced.
noted() {
  aws sagemaker list-tags --region ca-central-1 --resource-arn "$1" \
    --query "Tags[?Key=='$noting'].Value" --output text | tr -d '\r'
}
case ${1:-} in
  '' | --list | --yes) ;;
  *)
    echo "usage: teardown.sh [--list | --yes]" >&2
    exit 2
    ;;
esac
mine='' theirs='' names='' finished=''
stopped() {
  local code=$?
  if [ -z "$finished" ]; then echo "teardown.sh stopped half way. Run it again: it lists what is left" >&2; fi
  exit "$code"
}
# Notes a kind's resources with digests ($1, $2 as in answers, $3 in words), and sets the names of this deployment's.
sort_out() {
  local listed name arn
  names=''
  listed=$(numbered "$1" "$2")
  while read -r name arn; do
    if [ -z "$name" ]; then
      :
    elif ours "$arn"; then
      names+=" $name" mine+="  $3 $name"$'\n'
    else
      theirs+="  $3 $name"$'\n'
    fi
  done <<< "$listed"
}
endpoint_arn=$(found endpoint Endpoint "$endpoint") scaling='' joined='' before=''
if [ -n "$endpoint_arn" ]; then
  look
  case $status in Updating | SystemUpdating | RollingBack) settle && look ;; esac
  config_arn=$(found endpoint-config EndpointConfig "$current")
  if [ -n "$config_arn" ] && ours "$config_arn"; then
    joined=$current
    before=$(noted "$config_arn")
    scaling=$(scaled)
    mine+="  variant $variant of endpoint $endpoint, which goes back to configuration $before"$'\n'
    if [ -n "$scaling" ]; then mine+="  autoscaling of variant $variant"$'\n'; fi
  fi
  theirs+="  endpoint $endpoint"$'\n'
fi
sort_out endpoint-config EndpointConfig "endpoint configuration"
configs=$names
sort_out model Model model
models=$names
alarms=''
for name in "$alarm" ${waiting:+"$waiting"}; do
  arn=$(alarm_arn "$name")
  if [ -z "$arn" ]; then
    :
  elif our_alarm "$arn"; then
    alarms+=" $name" mine+="  alarm $name"$'\n'
  else
    theirs+="  alarm $name"$'\n'
  fi
done
if [ -n "$theirs" ]; then
  echo "Left as it is, as it was not made by this deployment (it has no tag $tag=$deployment):"
  printf '%s' "$theirs"
fi
if [ -z "$mine" ]; then
  echo "There is nothing that deploy.sh has made."
  exit
fi
echo "deploy.sh has made, and this script deletes:"
printf '%s' "$mine"
case ${1:-} in
  --list) exit ;;
  --yes) ;;
  *)
    if ! [ -t 0 ]; then
      echo "Nothing was deleted: there is no terminal to ask at. To delete without being asked: teardown.sh --yes" >&2
      exit 1
    fi
    read -r -p "Delete all of it? Type yes: " answer
    if [ "$answer" != yes ]; then
      echo "Nothing was deleted."
      exit 1
    fi
    ;;
esac
trap stopped EXIT
if [ -n "$joined" ]; then
  if [ -z "$(found endpoint-config EndpointConfig "$before")" ]; then
    echo "The configuration $before is gone: update $endpoint to one without variant $variant, and run this again" >&2
    exit 1
  fi
  if [ -n "$scaling" ]; then unscale; fi
  weights='"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}]'
  aws sagemaker update-endpoint --region ca-central-1 --endpoint-name "$endpoint" --endpoint-config-name "$before" \
    --cli-input-json "{\"RetainAllVariantProperties\": true, $weights}"
  settle
  look
  if [ "$current" != "$before" ]; then
    echo "The endpoint $endpoint did not go back to configuration $before; it has $current" >&2
    exit 1
  fi
fi
for name in $configs; do aws sagemaker delete-endpoint-config --region ca-central-1 --endpoint-config-name "$name"; done
for name in $models; do aws sagemaker delete-model --region ca-central-1 --model-name "$name"; done
for name in $alarms; do aws cloudwatch delete-alarms --region ca-central-1 --alarm-names "$name"; done
finished=1
echo "All of it is deleted."
