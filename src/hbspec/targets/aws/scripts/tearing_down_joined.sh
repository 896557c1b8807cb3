endpoint_arn=$(found endpoint Endpoint "$endpoint") scaling='' joined='' before=''
if [ -n "$endpoint_arn" ]; then
  look
  case $status in Updating | SystemUpdating | RollingBack) settle && look ;; esac
  config_arn=$(found endpoint-config EndpointConfig "$current")
  if [ -n "$config_arn" ] && ours "$config_arn"; then
    joined=$current
    before=$(noted "$config_arn")
    scaling=$(scaled)
    mine+="  variant $variant of endpoint $endpoint, which goes back to configuration $before"$'\n'
    if [ -n "$scaling" ]; then mine+="  autoscaling of variant $variant"$'\n'; fi
  fi
  theirs+="  endpoint $endpoint"$'\n'
fi
