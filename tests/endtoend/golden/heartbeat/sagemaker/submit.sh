#!/usr/bin/env bash
# heartbeat-deepseek-r1-qwen-32b-…: uploads the source, sets the alarms and starts the training job. This is the only step that costs money.
# A job that failed or was stopped is repeated as another attempt, which continues from its checkpoints.
# Exit codes: 0 the job was started; 3 nothing was started, because this job was already started and is running or has completed;
# any other: the exit code of the AWS CLI.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")"
if ! grep -qF -- '"TrainingJobName": "heartbeat-deepseek-r1-qwen-32b-…"' create_training_job.json; then
  echo "this script starts $PWD/create_training_job.json only if it is of heartbeat-deepseek-r1-qwen-32b-…: run it from its own folder" >&2
  exit 1
fi
sha256() { if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi; }
changed= compiled=$'\n'
while IFS= read -r line; do
  path=${line#*  }
  compiled+=$path/$'\n'
  found=$(sha256 < "$path") || found=
  if [[ ${found%% *} != "${line%% *}" ]]; then changed=$path; fi
done << 'COMPILED'
ae99ba5085d145f321d8467157c1f8dcc630ee142bce39eb686622d6f051c08c  create_training_job.json
47342023f0c87878bc7f4ab4016d165a21eba83d1f8cf8a6a4d5cabd855a46b7  put_metric_alarm_loss.json
062f8b6afa4428b4e4426225c12e0215d3f9e6dce3a04ddbe7280d2e2428133b  put_metric_alarm_gpu_memory.json
0a5ae7d90bc3755485743c1e89439876a9c6b6e39e0ff9531fc2ee9b2af97938  put_metric_alarm_slow_steps.json
57d431b00e52a1b611e26473386a621c599e23511285c4b220f246308581d98a  put_metric_alarm_fast_steps.json
5297c6412ccc87bb6c46b5336f5c0855055a60fa5931f5c516611360a92c5f62  put_metric_alarm_gradient_norm.json
c145f08cd72b8ff56767f12721f157d26a9149d2372405550e430fa4bad039d4  put_dashboard.json
5f8aebbbfe64c3ffd257c426bbb605be5d5c8211e9ead96fd7dfedfc3f26961f  source/base_model.py
891ad27277e6eb838d41cdbadf45570240e5c4c5f1ecce548627b53797d6b9c5  source/beside.py
d8e7fb396f31a8493259f5d7bdd2d186889a2bec741b84a74a0c137be9f3a88c  source/best_model.py
8ceb12740c8153e153b1f46bc210286e62d8d68ea4de0cdbdd3d05d7332830de  source/checkpoints.py
3f2c82e248dc98a983b4f26d027da082bf9c2acead2e63cb76dcc79b25c8b79a  source/completeness.py
6f1c5c145755ea514876877ee54fcbf8275e7248d94952e7ba95e51b5ae3b043  source/conversations.py
09fd6c17adff3f6e2e0ff0bc5c4b285943cbbbeea7ad02e5bcfd15e1ac41ef6b  source/counting.py
71c46b97dea7e5bc888d765ed4671807a64cc94c35e917b7a8fafa2a31be2869  source/documents.py
0f687c6fa72e05d066416bc2370bed93cb03847887a62bbe3e834998a61ac6ad  source/evaluating.py
3cfdb97288757296913d416d92fca595699ba581519122b30283025db1fe6500  source/failure.py
91e94b6896f8ee48371f08056bc1e1c97938a1e673d664bf8df766046f883f78  source/fingerprint.py
27526b193fff9efac48ea259e9de89329f199bda69e74ede46965b12e0c333e5  source/folder_lock.py
199f20037fa17a7cbbde815475cf52ec58f1a35c5a46326e2421100c37ae3e91  source/folders.py
7f053003d4833458b59e2260214c88f7f1db689844a6fada85ec829debf6c4c3  source/foreign.py
d7ad2af11cedb0427832b4adbe685eec2b33c195332f15c59d40d35a1c10c6aa  source/handover.py
85d0e47044fc7018ae005461446d2ec45c092564d6f9cd814ad4a4be2471a285  source/job.py
bcb57efc34a44d9d0b0c4e75a43be74d71e73afe8e8fdc1d53b443883c65c467  source/launcher.py
f8023e0567e220b60a018244206b7dbdd415b7c633890aa7ff4313efd4d4b11d  source/layouts.py
685725ea7578c2a78a4d7520ed543c164d32653d70c26b3bfd28087359a5f06e  source/leaving.py
bd03f977885d0210adfc482e323544d9dd9f495e2cef9de3b62962fc7ec24553  source/lines.py
396ce6c88038b1faeab7be0d6576e7c324355f1345962f8541160ba52e5e0ca2  source/loading.py
e2d1378390fd6a90dea9051cc7fef010494c571c5c0082d4e087636ad5654669  source/manifest.py
26162c5b0de8a202a430e830185335b1fff99898d83b0591a3cc61e95c894d08  source/metrics.py
2d8e369e02c27f1a144a98814cb1b42c4dbafcdea9c7c0ac22289bd918118a6b  source/mixing.py
4d167a8f20afd9d58182473a53fcf4f30d47b8ca780fb83872c9657253e16537  source/model_folder.py
df7315fe288a72718d8e9871fea15110f9395997812a644e4f806604cc6dd03a  source/parsers.py
d70597ca0b133936174b9697914f33cd1a6c1686898706756ae037b310c37c3f  source/reading.py
e74419dc576c4a875e1b219d7668ad2a87249e0f3ae581e2329d4ea47c34e337  source/records.py
6345c6dd35d760c1c83006185f440ba7109d458164c750f22cf353118e5434c1  source/removal.py
105c5f366481d4e74f9bd08a403ee0122ac7597d3cd60c2fe9ed5da921694bec  source/requirements.txt
2dc85457369b69d66c8e5812ec9c1f5f5591b169b36558b62d10c21ce03acb5d  source/run_record.py
613b0e45e1f6958b3484aad287d2dd1ecc88a0d3d8af430dfdf242200fbbb01a  source/saving.py
0fd9dc586ef0adb190915121ddeb61c512ca5c592ce775d4dbcfdd454fb59e13  source/served_adapters.py
5202b6966305bfbb251da11fd27ce4c2a84aae5648263ea8aba9f9c315262e03  source/settings.py
bd9954224765820b2aec5f2c6836811342047a3394e998bb135e3eb99abf8525  source/shrinking.py
3e25fd1819f4ebf2a963f2cefbacf622b0236f7770692453d81b84dd68d421a8  source/splits.py
6072a77fb9a294dbdcaba24b2e9c7f424a4ad398a8f17df9629c8c61d0d74828  source/spoken.py
df31a4e082396acaa7835277614174cb3171a9b4892c83dd99f807084f611f1e  source/stopping.py
5769e8e1dfe1c61d7cbc4c463d49f3fcf6772f1ebb7747fb856bfb4c26cb20fe  source/tables.py
efbe75db6b715344c216578ddebecc4e2ad861ed31d7187a92909b7a5eb8d02f  source/tiny.py
83135e331d1a6322f1dc3e20a3afb829dc00dd61129a937ca0f455305a702a8f  source/told.py
42d6d2a644cf660fa6e921595f8a160d671c8f593e9f38e3ce87f28b623a4fe5  source/train.py
9055cafdfdc106b3c045965a7272703b136318a881abb98110c078b65c0bd75b  source/watches.py
fe2b0faba33b374ea6604e0fcbdeae6e8c38195e1b936f56b87cbbdd2b585a02  source/with_secrets.py
a79ce3443d7091168d18fd10f4fe07c83df347a2fe5c3496968daa007596b9ce  source/launch.sh
COMPILED
if [[ -n $changed ]]; then
  echo "$changed was changed since it was compiled. The job is named after what was compiled:" >&2
  echo "change the spec or the script that it names, and compile again" >&2
  exit 1
fi
there=$(find -L source ! -type d ! -name .DS_Store ! -name Thumbs.db ! -name desktop.ini ! -path '*/__pycache__/*.pyc' -exec printf '%s/\n' {} +)
while IFS= read -r path; do  # of a name with a line break, the first part has no slash
  if [[ $compiled != *$'\n'"$path"$'\n'* ]]; then
    echo "${path%/} was added since it was compiled, and would be sent with the job under its name:" >&2
    echo "move it away, or add it to the script that the spec names, and compile again" >&2
    exit 1
  fi
done <<< "$there"
job=heartbeat-deepseek-r1-qwen-32b-…
jobs=$(aws sagemaker list-training-jobs --region ca-central-1 --name-contains "$job" \
  --query 'TrainingJobSummaries[].[TrainingJobName, TrainingJobStatus]' --output text)
last=0 name=$job status=
while read -r found state; do
  if [[ $found =~ ^"$job"(-([1-9][0-9]{0,2}))?$ ]] && ((${BASH_REMATCH[2]:-1} > last)); then
    last=${BASH_REMATCH[2]:-1} name=$found status=${state%$'\r'}  # the CLI may end lines as Windows does
  fi
done <<< "$jobs"
started_already() {
  echo "$name: this job was already started ($1); nothing was started. Inspect it with" >&2
  echo '  aws sagemaker describe-training-job --region ca-central-1 --training-job-name' "$name" >&2
  echo "To run the same job again, set another name (sagemaker.job_name) and recompile." >&2
  exit 3
}
case $status in
  '') ;;
  Failed | Stopped)
    if ((last == 999)); then echo "$job: the limit is 999 attempts" >&2; exit 1; fi
    name=$job-$((last + 1))
    echo "$name: attempt $((last + 1)), as attempt $last is $status. It continues from any checkpoint in"
    echo '  s3://heartbeat/models/heartbeat-deepseek-r1-qwen-32b-…/checkpoints/'
    ;;
  *) started_already "$status" ;;
esac
aws s3 cp --region ca-central-1 --no-progress --recursive source/ s3://heartbeat/models/heartbeat-deepseek-r1-qwen-32b-…/code/
of_attempt() {  # the body in a file, of the attempt that is started
  local text old new
  text=$(< "$1")
  old='"Value": "heartbeat-deepseek-r1-qwen-32b-…"' new="\"Value\": \"$name\""
  text=${text//"$old"/$new}
  old='\"heartbeat-deepseek-r1-qwen-32b-…\"' new="\\\"$name\\\""
  text=${text//"$old"/$new}
  old='\"heartbeat-deepseek-r1-qwen-32b-…/' new="\\\"$name/"
  text=${text//"$old"/$new}
  printf '%s' "$text"
}
aws cloudwatch put-metric-alarm --region ca-central-1 --cli-input-json "$(of_attempt put_metric_alarm_loss.json)"
aws cloudwatch put-metric-alarm --region ca-central-1 --cli-input-json "$(of_attempt put_metric_alarm_gpu_memory.json)"
aws cloudwatch put-metric-alarm --region ca-central-1 --cli-input-json "$(of_attempt put_metric_alarm_slow_steps.json)"
aws cloudwatch put-metric-alarm --region ca-central-1 --cli-input-json "$(of_attempt put_metric_alarm_fast_steps.json)"
aws cloudwatch put-metric-alarm --region ca-central-1 --cli-input-json "$(of_attempt put_metric_alarm_gradient_norm.json)"
aws cloudwatch put-dashboard --region ca-central-1 --cli-input-json "$(of_attempt put_dashboard.json)"
answer=$(aws sagemaker create-training-job --region ca-central-1 --cli-input-json file://create_training_job.json \
  --training-job-name "$name" 2>&1) || {
  code=$?
  echo "$answer" >&2
  if [[ $answer == *ResourceInUse* ]]; then started_already ResourceInUse; fi
  exit $code
}
echo "$answer"
