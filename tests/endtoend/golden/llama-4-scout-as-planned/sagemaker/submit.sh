#!/usr/bin/env bash
# heartbeat-llama-4-scout-…: uploads the source, sets the alarms and starts the training job. This is the only step that costs money.
# A job that failed or was stopped is repeated as another attempt, which continues from its checkpoints.
# Exit codes: 0 the job was started; 3 nothing was started, because this job was already started and is running or has completed;
# any other: the exit code of the AWS CLI.
set -euo pipefail
unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")"
if ! grep -qF -- '"TrainingJobName": "heartbeat-llama-4-scout-…"' create_training_job.json; then
  echo "this script starts $PWD/create_training_job.json only if it is of heartbeat-llama-4-scout-…: run it from its own folder" >&2
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
02ab8113657399e2279c1585b666598d865f9a374db93fb5d39e2660d47df3b1  create_training_job.json
b56044659b635957481c452a212a02d2da423eb8c36cf6301dcdea21bfd69f2a  source/base_model.py
a985ed10e6e302f11438e1df7ddc6ec46c26134a071904e9be60f50cd36a6463  source/beside.py
d8e7fb396f31a8493259f5d7bdd2d186889a2bec741b84a74a0c137be9f3a88c  source/best_model.py
8ceb12740c8153e153b1f46bc210286e62d8d68ea4de0cdbdd3d05d7332830de  source/checkpoints.py
3f2c82e248dc98a983b4f26d027da082bf9c2acead2e63cb76dcc79b25c8b79a  source/completeness.py
17373740d237c45608adfbbe449acf43eb05d1fb7666872ee44c46d94677a6cd  source/conversations.py
09fd6c17adff3f6e2e0ff0bc5c4b285943cbbbeea7ad02e5bcfd15e1ac41ef6b  source/counting.py
71c46b97dea7e5bc888d765ed4671807a64cc94c35e917b7a8fafa2a31be2869  source/documents.py
0f687c6fa72e05d066416bc2370bed93cb03847887a62bbe3e834998a61ac6ad  source/evaluating.py
3cfdb97288757296913d416d92fca595699ba581519122b30283025db1fe6500  source/failure.py
91e94b6896f8ee48371f08056bc1e1c97938a1e673d664bf8df766046f883f78  source/fingerprint.py
7ac01031eff4fa1c9bdce1996a3efa218d4ad9cdb661597dd25ed2c6963a1b45  source/folder_lock.py
d7ad2af11cedb0427832b4adbe685eec2b33c195332f15c59d40d35a1c10c6aa  source/handover.py
2bf5752fe627036b418c763532013835a44d5179b3fb885759b6f01be070df99  source/job.py
bcb57efc34a44d9d0b0c4e75a43be74d71e73afe8e8fdc1d53b443883c65c467  source/launcher.py
2f2cdc40990621d8726041214ec5a29281ab0de4cc73dc4ddffffd65444276a8  source/leaving.py
66ddb0e4e960f83d16793e75339eb1a5393fbcbc78cb06ffd701aac80f3c570f  source/lines.py
396ce6c88038b1faeab7be0d6576e7c324355f1345962f8541160ba52e5e0ca2  source/loading.py
e2d1378390fd6a90dea9051cc7fef010494c571c5c0082d4e087636ad5654669  source/manifest.py
26162c5b0de8a202a430e830185335b1fff99898d83b0591a3cc61e95c894d08  source/metrics.py
4d167a8f20afd9d58182473a53fcf4f30d47b8ca780fb83872c9657253e16537  source/model_folder.py
996d0902a4544d961a472b810bfff3a41808c5ec2271be512abc65db7cbe6b9f  source/parsers.py
6017cb1af7177ab00ffcfbef71add02ad65e6d77c6c816dd26c6b6d20c8c9b04  source/records.py
6345c6dd35d760c1c83006185f440ba7109d458164c750f22cf353118e5434c1  source/removal.py
105c5f366481d4e74f9bd08a403ee0122ac7597d3cd60c2fe9ed5da921694bec  source/requirements.txt
2dc85457369b69d66c8e5812ec9c1f5f5591b169b36558b62d10c21ce03acb5d  source/run_record.py
8350262a0f772ecad8d964c587b579156ee905b0e0b08ac9ff0dda037b387f19  source/saving.py
0fd9dc586ef0adb190915121ddeb61c512ca5c592ce775d4dbcfdd454fb59e13  source/served_adapters.py
74cc7c52b27f4ed5aea8b33f6e6601f930dd4e8690ff82efc28d35bfe6d67605  source/settings.py
bd9954224765820b2aec5f2c6836811342047a3394e998bb135e3eb99abf8525  source/shrinking.py
b54ccf3c50d1b05cd5af0b3257f8396aaa20eca0c07fecb6a49f2bb52be5ad7d  source/splits.py
4475f78ae73a6bc0a7fce47f01f977bb3aeaf309de3129520855aded81d52a19  source/spoken.py
df31a4e082396acaa7835277614174cb3171a9b4892c83dd99f807084f611f1e  source/stopping.py
71e136462af438c597c50d37d84d0fc89e0d899ccb7b56ec904899f70479c137  source/tiny.py
83135e331d1a6322f1dc3e20a3afb829dc00dd61129a937ca0f455305a702a8f  source/told.py
c5037899976468610a0b7114d32612374a5afd8989cc74e57091ebc5f6248ed1  source/train.py
9055cafdfdc106b3c045965a7272703b136318a881abb98110c078b65c0bd75b  source/watches.py
fe2b0faba33b374ea6604e0fcbdeae6e8c38195e1b936f56b87cbbdd2b585a02  source/with_secrets.py
e21ebf232fb7e1d48183e9c1966e5db9177bbf30d363203242ca621e12767cf8  source/launch.sh
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
job=heartbeat-llama-4-scout-…
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
    echo '  s3://heartbeat/models/heartbeat-llama-4-scout-…/checkpoints/'
    ;;
  *) started_already "$status" ;;
esac
aws s3 cp --region ca-central-1 --no-progress --recursive source/ s3://heartbeat/models/heartbeat-llama-4-scout-…/code/
answer=$(aws sagemaker create-training-job --region ca-central-1 --cli-input-json file://create_training_job.json \
  --training-job-name "$name" 2>&1) || {
  code=$?
  echo "$answer" >&2
  if [[ $answer == *ResourceInUse* ]]; then started_already ResourceInUse; fi
  exit $code
}
echo "$answer"
