if [ -n "$scales" ]; then
  exists+="  autoscaling of its variant $variant"$'\n'
  aws application-autoscaling register-scalable-target @at \
    --cli-input-json file://register_scalable_target.json
  aws application-autoscaling put-scaling-policy @at \
    --cli-input-json file://put_scaling_policy.json
  if [ -n "$from_zero" ]; then
    policy=$(aws application-autoscaling put-scaling-policy @at \
      --cli-input-json file://put_scaling_policy_from_zero.json --query PolicyARN --output text)
    watch "$waiting" put_metric_alarm_from_zero --alarm-actions "${policy%$'\r'}"
  fi
else
  scaling=$(scaled)
  if [ -n "$scaling" ]; then echo "Variant $variant is scaled, which the spec does not say; that is left as it is."; fi
fi
