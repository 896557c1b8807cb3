#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b: serves the trained model on this machine, in the endpoint's container.
# docker-run.sh MODEL [ARGUMENT...]: MODEL is the folder that training wrote, with the adapters.
# It is left out where the variable MODEL_DIR says it.
# PORT is where it listens, on this machine alone: 8080 by default.
# Further arguments go to docker run, before the image. HF_TOKEN is the Hub's token, for gated weights.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")" && pwd)
model=${MODEL_DIR:-${1:-}}
if [[ -z ${MODEL_DIR:-} ]] && (($# > 0)); then shift; fi
if [[ -z $model ]]; then echo "name the folder of the trained model: $0 MODEL" >&2; exit 2; fi
if [[ ! -f $model/adapter_config.json ]]; then echo "$model is not a folder of adapters: it has no adapter_config.json" >&2; exit 1; fi
model=$(cd -- "$model" && pwd)
case $model in *[\"\\,]*)
  echo "$model: the path has a quotation mark, a backslash or a comma; rename the folder" >&2
  exit 1 ;;
esac
hub=${HF_HOME:-$HOME/.cache/huggingface}
mkdir -p -- "$hub"
hub=$(cd -- "$hub" && pwd)
case $hub in *[\"\\,]*)
  echo "$hub: the path has a quotation mark, a backslash or a comma; rename the folder" >&2
  exit 1 ;;
esac
image=….dkr.ecr.ca-central-1.amazonaws.com/vllm:0.27.1-gpu-py312-cu130-ubuntu22.04-sagemaker
if ! docker image inspect "$image" > /dev/null 2>&1 && ! docker pull "$image"; then
  echo 'the image is in a registry of AWS, which asks for a login:' >&2
  echo '  aws ecr get-login-password --region ca-central-1 | docker login --username AWS --password-stdin ….dkr.ecr.ca-central-1.amazonaws.com' >&2
  exit 1
fi
echo "Once it answers, send the first request:" >&2
echo "  curl http://127.0.0.1:${PORT:-8080}/invocations -H 'Content-Type: application/json' \\" >&2
echo "    -d @$(printf %q "$here/request.json")" >&2
exec docker run --rm --gpus all --ipc host --publish "127.0.0.1:${PORT:-8080}:8080" \
  --mount "type=bind,source=$model,target=/opt/ml/model,readonly" \
  --mount "type=bind,source=$hub,target=/opt/hub" --env HF_HOME=/opt/hub --env HF_TOKEN \
  --env SM_VLLM_MODEL=deepseek-ai/DeepSeek-R1-Distill-Qwen-32B \
  --env SM_VLLM_SERVED_MODEL_NAME=deepseek-ai/DeepSeek-R1-Distill-Qwen-32B \
  --env SM_VLLM_TENSOR_PARALLEL_SIZE=4 \
  --env SM_VLLM_DTYPE=bfloat16 \
  --env SM_VLLM_MAX_NUM_SEQS=4 \
  --env SM_VLLM_MAX_NUM_BATCHED_TOKENS=2048 \
  --env SM_VLLM_GPU_MEMORY_UTILIZATION=0.9 \
  --env SM_VLLM_ENABLE_PREFIX_CACHING=true \
  --env SM_VLLM_MAX_MODEL_LEN=4096 \
  --env SM_VLLM_QUANTIZATION=bitsandbytes \
  --env SM_VLLM_ENABLE_LORA=true \
  --env SM_VLLM_MAX_LORAS=1 \
  --env SM_VLLM_MAX_LORA_RANK=16 \
  --env 'SM_VLLM_LORA_MODULES={"name": "llama-4-scout", "path": "/opt/ml/model"}' \
  --env CUSTOM_FASTAPI_INVOCATION_HANDLER=vllm.entrypoints.openai.chat_completion.api_router:create_chat_completion \
  "$@" "$image" serve
