# The body of a request ($1) with the name of the model.
with_model() {
  local body
  body=$(< "$1")
  printf '%s' "${body%%"$named"*}\"ModelName\": \"$model_name\"${body#*"$named"}"
}
serving() {
  aws sagemaker describe-inference-component @at --inference-component-name "$component" \
    --query Specification.ModelName --output text | tr -d '\r'
}
exists+="  inference component $component"$'\n'
hosted_still
if [ -z "$status_of" ]; then
  body=$(with_model create_inference_component.json)
  aws sagemaker create-inference-component @at --cli-input-json "$body"
  hosted_still
elif [ "$status_of" = InService ] && [ "$(serving)" = "$model_name" ]; then
  echo "The inference component $component has model $model_name already."
elif [ "$status_of" = InService ]; then
  body=$(with_model update_inference_component.json)
  aws sagemaker update-inference-component @at --cli-input-json "$body"
  hosted_still
fi
if [ "$status_of" != InService ] || [ "$(serving)" != "$model_name" ]; then
  aws sagemaker describe-inference-component @at --inference-component-name "$component" \
    --query '[InferenceComponentStatus, FailureReason]' --output text >&2
  echo "The inference component $component does not serve $model_name. If it cannot be updated, run teardown.sh first" >&2
  exit 1
fi
