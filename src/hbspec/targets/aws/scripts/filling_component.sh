model_name=$deployment-$(digest <<< "$model$content")
make model Model "$model_name" "$model"
config=$(< create_endpoint_config.json)
named="\"ModelName\": \"$deployment\""
