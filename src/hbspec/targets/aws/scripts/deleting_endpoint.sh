if [ -n "$endpoint_arn" ]; then
  if [ -n "$scaling" ]; then unscale; fi
  look
  if [ "$status" != Deleting ]; then aws sagemaker delete-endpoint @at --endpoint-name "$endpoint"; fi
  aws sagemaker wait endpoint-deleted @at --endpoint-name "$endpoint"
fi
