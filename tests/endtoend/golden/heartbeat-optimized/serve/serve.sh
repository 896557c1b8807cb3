#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b: serves the trained model on this machine, by vLLM 0.27.1.
# serve.sh MODEL [ARGUMENT...]: MODEL is the folder that training wrote, with the adapters.
# It is left out where the variable MODEL_DIR says it.
# PORT is where it listens, on this machine alone: 8080 by default.
# Further arguments go to vLLM, where they win. HF_TOKEN is the Hub's token, for gated weights.
# BASE_MODEL may name another place of the base model, such as a folder.
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
base=${BASE_MODEL:-deepseek-ai/DeepSeek-R1-Distill-Qwen-32B}
if ! command -v vllm > /dev/null; then
  echo "vllm is not installed: run pip install vllm==0.27.1 bitsandbytes, or docker-run.sh" >&2
  exit 1
fi
export CUSTOM_FASTAPI_INVOCATION_HANDLER=vllm.entrypoints.openai.chat_completion.api_router:create_chat_completion
echo "Once it answers, send the first request:" >&2
echo "  curl http://127.0.0.1:${PORT:-8080}/v1/chat/completions -H 'Content-Type: application/json' \\" >&2
echo "    -d @$(printf %q "$here/request.json")" >&2
exec vllm serve "$base" \
  --host 127.0.0.1 --port "${PORT:-8080}" \
  --served-model-name deepseek-ai/DeepSeek-R1-Distill-Qwen-32B \
  --tensor-parallel-size 4 \
  --dtype bfloat16 \
  --max-num-seqs 4 \
  --max-num-batched-tokens 2048 \
  --gpu-memory-utilization 0.9 \
  --enable-prefix-caching \
  --max-model-len 4096 \
  --quantization bitsandbytes \
  --enable-lora \
  --max-loras 1 \
  --max-lora-rank 16 \
  --lora-modules '{"name": "llama-4-scout", "path": "'"$model"'"}' \
  "$@"
