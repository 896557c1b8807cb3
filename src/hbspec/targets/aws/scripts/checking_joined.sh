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
arm=$(aws sagemaker describe-endpoint-config @at --endpoint-config-name "$current" \
  --query "ProductionVariants[?ModelName=='$baseline'].VariantName" --output text | tr -d '\r')
# The configuration without the test: of one that the test has joined, its tag says it, and has its variant.
before=$current mine=''
config_arn=$(found endpoint-config EndpointConfig "$current")
if [ -n "$config_arn" ] && ours "$config_arn"; then
  before=$(noted "$config_arn") mine=$variant
fi
query="[ProductionVariants, ShadowProductionVariants || \`[]\`][]"
query+=" | [?ModelName!='$baseline' && VariantName!='$mine'].VariantName"
others=$(aws sagemaker describe-endpoint-config @at --endpoint-config-name "$current" \
  --query "$query" --output text | tr -d '\r')
case $arm in
  '') refuse "The endpoint $endpoint does not serve the baseline $baseline." \
    "Name the model that it serves as deployment.ab_test.baseline, and compile again" ;;
  *[[:space:]]*) refuse "The endpoint $endpoint has more than one variant of $baseline: $arm" ;;
  "$variant") refuse "The variant of $baseline is called $variant, as the new one would be" ;;
esac
if [ -n "$others" ]; then refuse "The endpoint $endpoint has further variants, and a test has two: $others"; fi
answer=$(aws sagemaker-runtime invoke-endpoint @at --endpoint-name "$endpoint" \
  --target-variant "$arm" --content-type application/json --body fileb://request.json /dev/null 2>&1) || {
  refuse "$answer" "The baseline does not answer request.json, so that one request would not be valid for both." \
    "Set deployment.ab_test.served_model_name to the model that it answers to, and compile again"
}
