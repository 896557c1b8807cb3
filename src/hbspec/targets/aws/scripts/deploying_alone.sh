config_name=$deployment-$(digest <<< "$config")
make endpoint-config EndpointConfig "$config_name" "$config"
watch "$alarm" put_metric_alarm # by which an update is rolled back
if [ -z "$endpoint_arn" ]; then
  exists+="  endpoint $endpoint"$'\n'
  aws sagemaker create-endpoint @at --cli-input-json file://create_endpoint.json \
    --endpoint-config-name "$config_name"
  settle
else
  if [ "$status" != OutOfService ]; then settle; fi
  look
  if [ "$current" = "$config_name" ]; then
    echo "The endpoint $endpoint has configuration $config_name already."
  else
    stop_for_guest # it may have come since
    update "$config_name"
  fi
fi
