# Sets the status of the inference component; empty for none. The CLI does not wait for one.
hosted() {
  status_of=$(aws sagemaker list-inference-components @at --name-contains "$component" --output text \
    --query "InferenceComponents[?InferenceComponentName=='$component'].InferenceComponentStatus" | tr -d '\r')
}
# Waits while it changes.
hosted_still() {
  local round
  for ((round = 0; round < 400; round++)); do
    hosted
    case $status_of in Creating | Updating | Deleting) sleep "${PAUSE:-20}" ;; *) return ;; esac
  done
  echo "The inference component $component is still $status_of. Run this again" >&2
  exit 1
}
