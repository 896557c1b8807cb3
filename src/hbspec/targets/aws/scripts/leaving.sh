if [ -n "$joined" ]; then
  if [ -z "$(found endpoint-config EndpointConfig "$before")" ]; then
    echo "The configuration $before is gone: update $endpoint to one without variant $variant, and run this again" >&2
    exit 1
  fi
  if [ -n "$scaling" ]; then unscale; fi
  weights='"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}]'
  aws sagemaker update-endpoint @at --endpoint-name "$endpoint" --endpoint-config-name "$before" \
    --cli-input-json "{\"RetainAllVariantProperties\": true, $weights}"
  settle
  look
  if [ "$current" != "$before" ]; then
    echo "The endpoint $endpoint did not go back to configuration $before; it has $current" >&2
    exit 1
  fi
fi
