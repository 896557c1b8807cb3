case ${1:-} in
  '' | --list | --yes) ;;
  *)
    echo "usage: teardown.sh [--list | --yes]" >&2
    exit 2
    ;;
esac
mine='' theirs='' names='' finished=''
stopped() {
  local code=$?
  if [ -z "$finished" ]; then echo "teardown.sh stopped half way. Run it again: it lists what is left" >&2; fi
  exit "$code"
}
# Notes a kind's resources with digests ($1, $2 as in answers, $3 in words), and sets the names of this deployment's.
sort_out() {
  local listed name arn
  names=''
  listed=$(numbered "$1" "$2")
  while read -r name arn; do
    if [ -z "$name" ]; then
      :
    elif ours "$arn"; then
      names+=" $name" mine+="  $3 $name"$'\n'
    else
      theirs+="  $3 $name"$'\n'
    fi
  done <<< "$listed"
}
