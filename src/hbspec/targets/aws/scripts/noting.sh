# The configuration that a test's ($1, an ARN) has replaced.
noted() {
  aws sagemaker list-tags @at --resource-arn "$1" \
    --query "Tags[?Key=='$noting'].Value" --output text | tr -d '\r'
}
