endpoint_arn=$(found endpoint Endpoint "$endpoint") scaling=''
if [ -n "$endpoint_arn" ]; then
  if ours "$endpoint_arn"; then
    scaling=$(scaled)
    mine+="  endpoint $endpoint"$'\n'
    if [ -n "$scaling" ]; then mine+="  autoscaling of its variant $variant"$'\n'; fi
  else
    theirs+="  endpoint $endpoint"$'\n' endpoint_arn=''
  fi
fi
