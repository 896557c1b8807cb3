if [ -n "$scaling" ]; then unscale; fi
# What the endpoint hosts goes first.
if [ -n "$component_arn" ]; then
  hosted_still
  if [ -n "$status_of" ]; then aws sagemaker delete-inference-component @at --inference-component-name "$component"; fi
  hosted_still
fi
if [ -n "$endpoint_arn" ]; then
  look
  if [ "$status" != Deleting ]; then aws sagemaker delete-endpoint @at --endpoint-name "$endpoint"; fi
  aws sagemaker wait endpoint-deleted @at --endpoint-name "$endpoint"
fi
