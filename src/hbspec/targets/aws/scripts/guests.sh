# Stops where a test of another deployment has joined the endpoint, with a configuration that notes the one before.
stop_for_guest() {
  local arn before guest
  arn=$(found endpoint-config EndpointConfig "$current")
  if [ -z "$arn" ] || ours "$arn"; then return; fi
  before=$(noted "$arn")
  if [ -z "$before" ]; then return; fi
  guest=$(aws sagemaker list-tags @at --resource-arn "$arn" \
    --query "Tags[?Key=='$tag'].Value" --output text | tr -d '\r')
  echo "The endpoint $endpoint has a test of $guest, which this would end: run the teardown.sh of that one first" >&2
  exit 1
}
