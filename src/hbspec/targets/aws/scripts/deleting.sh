for name in $configs; do aws sagemaker delete-endpoint-config @at --endpoint-config-name "$name"; done
for name in $models; do aws sagemaker delete-model @at --model-name "$name"; done
if [ -n "$arn" ]; then aws cloudwatch delete-alarms @at --alarm-names "$alarm"; fi
finished=1
echo "All of it is deleted."
