endpoint_arn=$(found endpoint Endpoint "$endpoint") scaling=''
component_arn=$(found inference-component InferenceComponent "$component")
if [ -n "$component_arn" ]; then
  if ours "$component_arn"; then
    mine+="  inference component $component"$'\n'
    scaled_resource=inference-component/$component dimension=sagemaker:inference-component:DesiredCopyCount
  else
    theirs+="  inference component $component"$'\n' component_arn=''
  fi
fi
if [ -n "$endpoint_arn" ]; then
  if ours "$endpoint_arn"; then
    look
    case $status in Failed | UpdateRollbackFailed | Deleting) ;; *) stop_for_guest ;; esac
    scaling=$(scaled)
    mine+="  endpoint $endpoint"$'\n'
    if [ -n "$scaling" ]; then mine+="  autoscaling of its variant $variant"$'\n'; fi
  else
    theirs+="  endpoint $endpoint"$'\n' endpoint_arn=''
  fi
fi
