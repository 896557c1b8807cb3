for name in $configs; do aws sagemaker delete-endpoint-config @at --endpoint-config-name "$name"; done
for name in $models; do aws sagemaker delete-model @at --model-name "$name"; done
for name in $alarms; do aws cloudwatch delete-alarms @at --alarm-names "$name"; done
finished=1
echo "All of it is deleted."
