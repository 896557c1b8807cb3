sort_out endpoint-config EndpointConfig "endpoint configuration"
configs=$names
sort_out model Model model
models=$names
alarms=''
for name in "$alarm" ${waiting:+"$waiting"}; do
  arn=$(alarm_arn "$name")
  if [ -z "$arn" ]; then
    :
  elif our_alarm "$arn"; then
    alarms+=" $name" mine+="  alarm $name"$'\n'
  else
    theirs+="  alarm $name"$'\n'
  fi
done
if [ -n "$theirs" ]; then
  echo "Left as it is, as it was not made by this deployment (it has no tag $tag=$deployment):"
  printf '%s' "$theirs"
fi
if [ -z "$mine" ]; then
  echo "There is nothing that deploy.sh has made."
  exit
fi
echo "deploy.sh has made, and this script deletes:"
printf '%s' "$mine"
case ${1:-} in
  --list) exit ;;
  --yes) ;;
  *)
    if ! [ -t 0 ]; then
      echo "Nothing was deleted: there is no terminal to ask at. To delete without being asked: teardown.sh --yes" >&2
      exit 1
    fi
    read -r -p "Delete all of it? Type yes: " answer
    if [ "$answer" != yes ]; then
      echo "Nothing was deleted."
      exit 1
    fi
    ;;
esac
trap stopped EXIT
