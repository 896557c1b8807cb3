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
    aws sagemaker "create-$1" @at --cli-input-json "$4" "--$1-name" "$3"
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
  aws cloudwatch put-metric-alarm @at --cli-input-json "file://$2.json" "${@:3}"
}
# Updates the endpoint to a configuration ($1), and keeps the one before.
update() {
  local before=$current type scaling
  type=$(aws sagemaker describe-endpoint-config @at --endpoint-config-name "$current" \
    --query "ProductionVariants[?VariantName=='$variant'].InstanceType" --output text | tr -d '\r')
  scaling=$(scaled)
  if [ -n "$scaling" ] && [ -n "$scales" ] && [ "$type" != "$instance_type" ]; then
    unscale # or the service refuses another instance type; the end of this script registers it again
  fi
  aws sagemaker update-endpoint @at --cli-input-json file://update_endpoint.json \
    --endpoint-config-name "$1"
  settle
  look
  if [ "$current" != "$1" ]; then
    aws sagemaker describe-endpoint @at --endpoint-name "$endpoint" \
      --query FailureReason --output text >&2
    echo "The update to configuration $1 was rolled back; the endpoint answers with $current, as before." >&2
    exit 1
  fi
  echo "The configuration before, $before, is kept. To go back to it:"
  echo "  aws sagemaker update-endpoint$at --endpoint-name $endpoint --endpoint-config-name $before"
}
