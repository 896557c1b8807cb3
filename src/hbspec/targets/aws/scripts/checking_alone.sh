# Before anything is made: an endpoint of this name is this deployment's, and can be updated.
status='' current=''
endpoint_arn=$(found endpoint Endpoint "$endpoint")
if [ -n "$endpoint_arn" ]; then
  if ! ours "$endpoint_arn"; then foreign "endpoint $endpoint"; fi
  exists+="  endpoint $endpoint"$'\n'
  look
  case $status in
    Failed | UpdateRollbackFailed)
      aws sagemaker describe-endpoint @at --endpoint-name "$endpoint" \
        --query '[EndpointStatus, FailureReason]' --output text >&2
      echo "The endpoint $endpoint can only be deleted: run teardown.sh, and deploy.sh again after it" >&2
      exit 1
      ;;
    Deleting)
      echo "The endpoint $endpoint is being deleted; deploy.sh waits until it is gone."
      aws sagemaker wait endpoint-deleted @at --endpoint-name "$endpoint"
      endpoint_arn=''
      ;;
  esac
fi
