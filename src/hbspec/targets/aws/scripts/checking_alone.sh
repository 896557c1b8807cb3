# Before anything is made: an endpoint of this name is this deployment's, and can be updated.
status='' current='' kind='' other=''
component_arn=$(found inference-component InferenceComponent "$component")
if [ -n "$component_arn" ] && ! ours "$component_arn"; then foreign "inference component $component"; fi
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
    *)
      stop_for_guest
      kind=$(aws sagemaker describe-endpoint-config @at --endpoint-config-name "$current" --output text \
        --query "ProductionVariants[?ModelName].VariantName" | tr -d '\r')
      if [ -n "$kind" ] && [ -n "$hosts" ]; then
        other="names its model itself, and the spec's hosts an inference component"
      elif [ -z "$kind$hosts" ]; then
        other="hosts an inference component, and the spec's names its model itself"
      fi
      if [ -n "$other" ]; then
        echo "The endpoint $endpoint $other (autoscaling.min: 0)." >&2
        echo "To change that, run teardown.sh, and deploy.sh again after it" >&2
        exit 1
      fi
      ;;
  esac
fi
