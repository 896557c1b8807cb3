#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b-ab2a39: joins the live endpoint heartbeat-live. Its variant is billed until it is taken out.
# It can be repeated, also after it was stopped; teardown.sh deletes what it has made.
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
sha256() { if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi; }
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
exists='' finished=''
stopped() {
  local code=$?
  if [ -z "$finished" ] && [ -n "$exists" ]; then
    {
      echo "deploy.sh stopped half way. What this deployment has made so far, of which the last may be missing:"
      printf '%s' "$exists"
      echo "Run deploy.sh again to go on from there, or teardown.sh, which lists this and asks before it deletes it."
    } >&2
  fi
  exit "$code"
}
trap stopped EXIT
foreign() {
  echo "$1 exists and was not made by this deployment: it has no tag $tag=$deployment." >&2
  echo "It is left as it is. Give the spec another name, and compile again" >&2
  exit 1
}
digest() {
  local sum
  sum=$(sha256)
  printf '%s' "${sum:0:digits}"
}
# Makes a model or an endpoint-config ($1, $2 as in answers) of a name ($3) from a body ($4), once.
make() {
  local arn
  arn=$(found "$1" "$2" "$3")
  if [ -z "$arn" ]; then
    exists+="  $1 $3"$'\n'
    aws sagemaker "create-$1" --region ca-central-1 --cli-input-json "$4" "--$1-name" "$3"
  elif ours "$arn"; then
    exists+="  $1 $3"$'\n'
    echo "$1 $3 is there already, with the same content."
  else
    foreign "$1 $3"
  fi
}
# Makes an alarm of a name ($1) from a body ($2) and options, or sets it again.
watch() {
  local arn
  arn=$(alarm_arn "$1")
  if [ -n "$arn" ] && ! our_alarm "$arn"; then foreign "alarm $1"; fi
  exists+="  alarm $1"$'\n'
  aws cloudwatch put-metric-alarm --region ca-central-1 --cli-input-json "file://$2.json" "${@:3}"
}
# Updates the endpoint to a configuration ($1), and keeps the one before.
update() {
  local before=$current type scaling
  type=$(aws sagemaker describe-endpoint-config --region ca-central-1 --endpoint-config-name "$current" \
    --query "ProductionVariants[?VariantName=='$variant'].InstanceType" --output text | tr -d '\r')
  scaling=$(scaled)
  if [ -n "$scaling" ] && [ -n "$scales" ] && [ "$type" != "$instance_type" ]; then
    unscale # or the service refuses another instance type; the end of this script registers it again
  fi
  aws sagemaker update-endpoint --region ca-central-1 --cli-input-json file://update_endpoint.json \
    --endpoint-config-name "$1"
  settle
  look
  if [ "$current" != "$1" ]; then
    aws sagemaker describe-endpoint --region ca-central-1 --endpoint-name "$endpoint" \
      --query FailureReason --output text >&2
    echo "The update to configuration $1 was rolled back; the endpoint answers with $current, as before." >&2
    exit 1
  fi
  echo "The configuration before, $before, is kept. To go back to it:"
  echo "  aws sagemaker update-endpoint$at --endpoint-name $endpoint --endpoint-config-name $before"
}
# Before anything is made: the endpoint is live, has the baseline, and the baseline answers the request of the test.
refuse() {
  printf '%s\n' "$@" >&2
  exit 1
}
arm=''
endpoint_arn=$(found endpoint Endpoint "$endpoint")
if [ -z "$endpoint_arn" ]; then
  refuse "There is no endpoint $endpoint. A test joins one that is live: deploy the baseline first," \
    "or name its endpoint as deployment.ab_test.endpoint, and compile again"
fi
look
case $status in Creating | Updating | SystemUpdating | RollingBack) settle && look ;; esac
if [ "$status" != InService ]; then refuse "The endpoint $endpoint is $status: a test joins one that answers"; fi
arm=$(aws sagemaker describe-endpoint-config --region ca-central-1 --endpoint-config-name "$current" \
  --query "ProductionVariants[?ModelName=='$baseline'].VariantName" --output text | tr -d '\r')
# The configuration without the test: of one that the test has joined, its tag says it, and has its variant.
before=$current mine=''
config_arn=$(found endpoint-config EndpointConfig "$current")
if [ -n "$config_arn" ] && ours "$config_arn"; then
  before=$(noted "$config_arn") mine=$variant
fi
query="[ProductionVariants, ShadowProductionVariants || \`[]\`][]"
query+=" | [?ModelName!='$baseline' && VariantName!='$mine'].VariantName"
others=$(aws sagemaker describe-endpoint-config --region ca-central-1 --endpoint-config-name "$current" \
  --query "$query" --output text | tr -d '\r')
case $arm in
  '') refuse "The endpoint $endpoint does not serve the baseline $baseline." \
    "Name the model that it serves as deployment.ab_test.baseline, and compile again" ;;
  *[[:space:]]*) refuse "The endpoint $endpoint has more than one variant of $baseline: $arm" ;;
  "$variant") refuse "The variant of $baseline is called $variant, as the new one would be" ;;
esac
if [ -n "$others" ]; then refuse "The endpoint $endpoint has further variants, and a test has two: $others"; fi
answer=$(aws sagemaker-runtime invoke-endpoint --region ca-central-1 --endpoint-name "$endpoint" \
  --target-variant "$arm" --content-type application/json --body fileb://request.json /dev/null 2>&1) || {
  refuse "$answer" "The baseline does not answer request.json, so that one request would not be valid for both." \
    "Set deployment.ab_test.served_model_name to the model that it answers to, and compile again"
}
# Deploys the last completed attempt at the training job, or the training job that is named: deploy.sh JOB
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
    echo "submit.sh, or name another training job: deploy.sh JOB" >&2
    exit 1
  fi
  echo "Using the model of $name ($status)."
fi
trained=$(aws sagemaker describe-training-job --region ca-central-1 --training-job-name "$name" \
  --query ModelArtifacts.S3ModelArtifacts --output json)
trained=${trained%$'\r'}  # the CLI may end lines as Windows does
if [ "$trained" = null ]; then echo "$name: this training job has no model" >&2; exit 1; fi
case $trained in *'.tar.gz"') ;; *) echo "$name: its model is unpacked, but this spec serves an archive" >&2; exit 1 ;; esac
compiled='"s3://heartbeat/models/heartbeat-deepseek-r1-qwen-32b-…/output/model.tar.gz"'
model=$(<create_model.json)
model=${model%%"$compiled"*}$trained${model#*"$compiled"}
content=''
model_name=$deployment-$(digest <<< "$model$content")
make model Model "$model_name" "$model"
config=$(< create_endpoint_config.json)
named="\"ModelName\": \"$deployment\""
config="${config%"$named"*}\"ModelName\": \"$model_name\"${config##*"$named"}"
# The baseline is the variant of the live configuration as it is, but for its weight; what else is there is kept, too.
stand_in="\`$config\`"
kept="merge(ProductionVariants[?VariantName=='$arm'] | [0], {InitialVariantWeight: \`$weight\`})"
variants="[$kept, $stand_in.ProductionVariants[1]]"
if [ -n "$shadow" ]; then variants="[$kept]"; fi
query="merge($stand_in, {ProductionVariants: $variants}"
for member in DataCaptureConfig KmsKeyId AsyncInferenceConfig ExplainerConfig ExecutionRoleArn VpcConfig \
  EnableNetworkIsolation MetricsConfig; do
  query+=", $member && {$member: $member} || \`{}\`"
done
config=$(aws sagemaker describe-endpoint-config --region ca-central-1 --endpoint-config-name "$current" \
  --query "$query)" --output json)
config=${config%%'"CONFIGURATION"'*}'"'$before'"'${config#*'"CONFIGURATION"'}
# Other shares are no other content: an endpoint takes them without new instances. A shadow's are in the configuration.
same=$config
if [ -z "$shadow" ]; then same=$(sed -E 's/"InitialVariantWeight": *[0-9.eE+-]+//g' <<< "$config"); fi
config_name=$deployment-$(digest <<< "$same")
make endpoint-config EndpointConfig "$config_name" "$config"
watch "$alarm" put_metric_alarm # by which an update is rolled back
exists+="  variant $variant of endpoint $endpoint"$'\n'
if [ "$current" = "$config_name" ]; then
  echo "The endpoint $endpoint has configuration $config_name already."
else
  update "$config_name"
fi
if [ -z "$shadow" ]; then
  answer=$(aws sagemaker describe-endpoint --region ca-central-1 --endpoint-name "$endpoint" --output text --query \
    "ProductionVariants[?VariantName=='$arm' && $kept_within || VariantName=='$variant' && $new_within].VariantName" |
    tr -d '\r')
  if [[ $answer != *[[:space:]]* ]]; then
    weights=$(< update_endpoint_weights_and_capacities.json)
    weights=${weights%%'"baseline"'*}'"'$arm'"'${weights#*'"baseline"'}
    aws sagemaker update-endpoint-weights-and-capacities --region ca-central-1 --cli-input-json "$weights"
    settle
  fi
fi
if [ -n "$scales" ]; then
  exists+="  autoscaling of its variant $variant"$'\n'
  aws application-autoscaling register-scalable-target --region ca-central-1 \
    --cli-input-json file://register_scalable_target.json
  aws application-autoscaling put-scaling-policy --region ca-central-1 \
    --cli-input-json file://put_scaling_policy.json
  if [ -n "$from_zero" ]; then
    policy=$(aws application-autoscaling put-scaling-policy --region ca-central-1 \
      --cli-input-json file://put_scaling_policy_from_zero.json --query PolicyARN --output text)
    watch "$waiting" put_metric_alarm_from_zero --alarm-actions "${policy%$'\r'}"
  fi
else
  scaling=$(scaled)
  if [ -n "$scaling" ]; then echo "Variant $variant is scaled, which the spec does not say; that is left as it is."; fi
fi
finished=1
echo "The endpoint answers:"
echo '  aws sagemaker-runtime invoke-endpoint --region ca-central-1 --endpoint-name heartbeat-live --target-variant challenger \'
echo '    --content-type application/json --body' "fileb://$PWD/request.json" 'answer.json'
