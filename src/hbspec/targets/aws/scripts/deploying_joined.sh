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
config=$(aws sagemaker describe-endpoint-config @at --endpoint-config-name "$current" \
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
  answer=$(aws sagemaker describe-endpoint @at --endpoint-name "$endpoint" --output text --query \
    "ProductionVariants[?VariantName=='$arm' && $kept_within || VariantName=='$variant' && $new_within].VariantName" |
    tr -d '\r')
  if [[ $answer != *[[:space:]]* ]]; then
    weights=$(< update_endpoint_weights_and_capacities.json)
    weights=${weights%%'"baseline"'*}'"'$arm'"'${weights#*'"baseline"'}
    aws sagemaker update-endpoint-weights-and-capacities @at --cli-input-json "$weights"
    settle
  fi
fi
