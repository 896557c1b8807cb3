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
b90d405e4cea4f43a568475b7e0cb0e8a4f4eed76de19201a33377317adbc7a0  create_training_job.json
1aa5d3028b3c1afe070feb868640bb394c683f5e51fbab7985868dd3f49d11b1  source/author_rewards.py
d5bc5876014116ba6f2a1e06845f0772bbd46e51e359aa7ce4a57b72ee558f8c  source/base_model.py
313dca31df846fcb1eca602328ceef36099e30f9c6aa75c0e36a70bc3fdeee75  source/beside.py
b485cddf9365a5e8ab70afdf263cd7a72765f2d02357db8966c4a7875ee41fe5  source/best_model.py
8ec85073b4287518a29c712c1b91067afc0cbdfc0c0060d5c8a04818876d84a3  source/broken.py
8ceb12740c8153e153b1f46bc210286e62d8d68ea4de0cdbdd3d05d7332830de  source/checkpoints.py
3f2c82e248dc98a983b4f26d027da082bf9c2acead2e63cb76dcc79b25c8b79a  source/completeness.py
1f25bcdaa9c4ab6972c0c6265c0a4fb54d73edc5de5e0c5b501637ed3a48a29d  source/conversations.py
15884e407a7b09d3614484c434a7f63eeda95e7df21a18822390c408a126de8f  source/counting.py
c800f1fa5cec24f437220f627ebbcd20b0a5af32f25dba44d0dd9f9004c5c230  source/documents.py
a222386cea98ef0e423f72a762f7d63bb54d9884d74e5f6fbc0c188afcdbe683  source/encoding.py
0f687c6fa72e05d066416bc2370bed93cb03847887a62bbe3e834998a61ac6ad  source/evaluating.py
3cfdb97288757296913d416d92fca595699ba581519122b30283025db1fe6500  source/failure.py
2ac85510252e2fd2f14bf6e77f4b8640d89b63dbb08f221f8603dd8db787d281  source/fingerprint.py
b8e136844385c6b2157e3df8dcc6204eb9707f1d7e689fd051468d498b6cd078  source/folder_lock.py
be7afe343fdc0fbf982db5352613d8b94ddba5a12b2f0c044d57c29d5b6ed857  source/folders.py
7f053003d4833458b59e2260214c88f7f1db689844a6fada85ec829debf6c4c3  source/foreign.py
0ddde097808dc0003f18dc6d524f0bfe5ee74a34064313ae6b9b51aabb8caa9c  source/handover.py
481671cba4bc2b3266c57b6998d4091801030a8d471cc90ef32a8b7fb776e379  source/initial_adapters.py
b7a9d9f8b51180d5cda3c136e4967744c3369c05562fe0e0c0af501440dd54f7  source/job.py
f83ad0a1cb43bd61be8c23882f8cd2e09d2179740b4cb67776ed77386759a131  source/job_examples.py
6ae0f6b58012c083ad6abf54167a32a563e5a847c616b23a79aca20cda1eca0d  source/launcher.py
427ba912191eedef8413e608847bdbf0daae99ee96574f37ba81fb86bad7057c  source/layouts.py
c5fc4dee762a716fad320cf4e0dcbaf7a0efb9f09d9b1622fda26b2009b35850  source/learned.py
685725ea7578c2a78a4d7520ed543c164d32653d70c26b3bfd28087359a5f06e  source/leaving.py
743fe05ffd02cdf5066648b0c25d1ca5cf7eca182814ca994f1f3840ba21e787  source/lines.py
edc4e9fe885be80fa7b334a1b2e8833b0afda5a6278d0879babda452ea73bfdf  source/loading.py
ed685e801d816a772d72fe1637a83b6b1f8bd0c96dda5f1558339638beef0b52  source/manifest.py
26162c5b0de8a202a430e830185335b1fff99898d83b0591a3cc61e95c894d08  source/metrics.py
2d8e369e02c27f1a144a98814cb1b42c4dbafcdea9c7c0ac22289bd918118a6b  source/mixing.py
4d167a8f20afd9d58182473a53fcf4f30d47b8ca780fb83872c9657253e16537  source/model_folder.py
1f81d11032872c565d046889b0e50cb4aa50447fffe25c50d9bac76cd94256ae  source/parsers.py
3fd0409933831f7d2f289a7174f69e3a7a6228cc0c8a722da7a0be77ba410bc8  source/readers.py
6ef8f494b297dcbf80cfcf0ab0e692c495329f191128393db5a39798a4e6a563  source/reading.py
c0841cbd73311424e073cfca2c280887a92b20a7c4e75cf3d8ba89b52705e844  source/records.py
5c847b77b6fb8ab983f9e7dc3d29437112c46fd85d32cd6e2f59b440eaeb9011  source/removal.py
105c5f366481d4e74f9bd08a403ee0122ac7597d3cd60c2fe9ed5da921694bec  source/requirements.txt
c87a2dd57538f2028ba8cc2e876a1758e92cf53ab36df56fde0ab67ae5cdb5f1  source/run_record.py
613b0e45e1f6958b3484aad287d2dd1ecc88a0d3d8af430dfdf242200fbbb01a  source/saving.py
0fd9dc586ef0adb190915121ddeb61c512ca5c592ce775d4dbcfdd454fb59e13  source/served_adapters.py
535e12b24589f5e1cf6acae42044b01a63b5d99c212b53d63beb9aec10c09b80  source/settings.py
bd9954224765820b2aec5f2c6836811342047a3394e998bb135e3eb99abf8525  source/shrinking.py
7477ae96adb05b47f65928c2d0df3cf1cdada5d53deb9f8149668fb99e000278  source/splits.py
6072a77fb9a294dbdcaba24b2e9c7f424a4ad398a8f17df9629c8c61d0d74828  source/spoken.py
df31a4e082396acaa7835277614174cb3171a9b4892c83dd99f807084f611f1e  source/stopping.py
ce716a30de92f11bc6332c405798c12cb5622a1e6cc5c523469949616faf3c39  source/tables.py
8d7f0cd264db986113236de376b92e55398b19c9cfb652235e37a9f9cab25b9a  source/task_arguments.py
1d8cf1c33c5ecba38c521e2e193be7113f5e1d01b58acec3c5e5925eac764270  source/task_settings.py
8d9a0c47ff48317fa5a5f4947ec4b253de62c7d6f0969e82c6b644091054946a  source/tasks.py
36f1dae8338ded8a1ac48e5d56f976df1fbac8b6a1bc4a3dd0f6d3099f208019  source/tiny.py
83135e331d1a6322f1dc3e20a3afb829dc00dd61129a937ca0f455305a702a8f  source/told.py
5fe45007def993f65e0913b9814fadb81f4ba14fa63b1de3a40955aee4bb6fee  source/train.py
308563c10e0398e30d059086123bd9e2a09044ca3c16431d590979f72dc03b0b  source/trainers.py
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
