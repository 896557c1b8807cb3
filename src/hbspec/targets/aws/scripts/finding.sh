export AWS_PAGER=''
# The ARN of the resource of a kind ($1 as in commands, $2 as in answers) and a name ($3); empty for none.
found() {
  aws sagemaker "list-$1s" @at --name-contains "$3" \
    --query "$2s[?$2Name=='$3'].$2Arn" --output text | tr -d '\r'
}
# Names and ARNs of a kind: the name of this deployment and a digest, newest first.
numbered() {
  aws sagemaker "list-$1s" @at --name-contains "$deployment-" \
    --sort-by CreationTime --sort-order Descending --query "$2s[].[$2Name, $2Arn]" --output text | tr -d '\r' |
    { grep -E "^$deployment-[0-9a-f]{$digits}[[:space:]]" || true; }
}
# Whether this deployment made the resource with an ARN ($1). The tag says so, not the name.
ours() {
  local owner
  owner=$(aws sagemaker list-tags @at --resource-arn "$1" \
    --query "Tags[?Key=='$tag'].Value" --output text) || exit
  [ "${owner%$'\r'}" = "$deployment" ]
}
# The same for an alarm, whose ARN is found by its name ($1).
alarm_arn() {
  aws cloudwatch describe-alarms @at --alarm-names "$1" \
    --query 'MetricAlarms[].AlarmArn' --output text | tr -d '\r'
}
our_alarm() {
  local owner
  owner=$(aws cloudwatch list-tags-for-resource @at --resource-arn "$1" \
    --query "Tags[?Key=='$tag'].Value" --output text) || exit
  [ "${owner%$'\r'}" = "$deployment" ]
}
# The registration for autoscaling of the variant, or of its inference component; empty for none.
scaled() {
  aws application-autoscaling describe-scalable-targets @at --service-namespace sagemaker \
    --resource-ids "$scaled_resource" --query 'ScalableTargets[].ResourceId' --output text |
    tr -d '\r'
}
unscale() {
  aws application-autoscaling deregister-scalable-target @at --service-namespace sagemaker \
    --resource-id "$scaled_resource" --scalable-dimension "$dimension"
}
# Sets the endpoint's status and the name of its configuration.
look() {
  local answer
  answer=$(aws sagemaker describe-endpoint @at --endpoint-name "$endpoint" \
    --query '[EndpointStatus, EndpointConfigName]' --output text)
  read -r status current <<< "${answer%$'\r'}"
}
# Waits until the endpoint answers, or says why it does not. The CLI waits for an hour at most.
settle() {
  local round
  for round in 1 2 3; do
    if aws sagemaker wait endpoint-in-service @at --endpoint-name "$endpoint"; then return; fi
    look
    case $status in Creating | Updating | SystemUpdating | RollingBack) ;; *) break ;; esac
  done
  aws sagemaker describe-endpoint @at --endpoint-name "$endpoint" \
    --query '[EndpointStatus, FailureReason]' --output text >&2
  echo "The endpoint $endpoint does not answer. It is billed until it is deleted." >&2
  exit 1
}
