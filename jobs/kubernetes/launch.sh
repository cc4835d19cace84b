#!/bin/sh
# Runs all tasks of a stage as an indexed Job of Kubernetes. rfmill calls it, stage by stage:
#
#     rfmill run nightly.toml --shards 64 --work s3://bucket/work/nightly --launcher 'jobs/kubernetes/launch.sh'
#
# RFMILL_IMAGE        image with the program as its entry point, of the same version as the one that calls (needed)
# RFMILL_NAMESPACE    namespace of the jobs (that of the context)
# RFMILL_PARALLELISM  tasks at once (32)
# RFMILL_CPU, RFMILL_MEMORY   what a task asks for (2, 4Gi)
# RFMILL_THREADS      threads of a task (2)
# RFMILL_SERVICE_ACCOUNT      account that may read the inputs and write the work place (default)
# RFMILL_WAIT         seconds that a stage may take (21600)
#
# The process that calls plans and commits; it needs the inputs and the output, too. A task whose process is killed or evicted
# is started again; one that ends with 2 or 3 (a wrong job, data that break their contract) ends the stage.
set -eu

stage=$1
tasks=$2
work=$3
here=$(dirname "$0")
name="rfmill-$stage-$(printf '%s' "$work" | cksum | cut -d ' ' -f 1)"
namespace=${RFMILL_NAMESPACE:+--namespace=$RFMILL_NAMESPACE}

# Values in the manifest are JSON strings, whatever they hold.
quoted() { printf '%s' "$1" | sed 's/[\\"]/\\&/g; s/.*/"&"/'; }
escaped() { quoted "$1" | sed 's/[\\&|]/\\&/g'; }

manifest=$(sed \
  -e "s|@NAME@|$(escaped "$name")|" \
  -e "s|@STAGE@|$(escaped "$stage")|" \
  -e "s|@TASKS@|$tasks|" \
  -e "s|@WORK@|$(escaped "$work")|" \
  -e "s|@IMAGE@|$(escaped "${RFMILL_IMAGE:?name the image in RFMILL_IMAGE}")|" \
  -e "s|@PARALLELISM@|${RFMILL_PARALLELISM:-32}|" \
  -e "s|@CPU@|$(escaped "${RFMILL_CPU:-2}")|" \
  -e "s|@MEMORY@|$(escaped "${RFMILL_MEMORY:-4Gi}")|" \
  -e "s|@THREADS@|$(escaped "${RFMILL_THREADS:-2}")|" \
  -e "s|@ACCOUNT@|$(escaped "${RFMILL_SERVICE_ACCOUNT:-default}")|" \
  "$here/stage.yaml")

# One that is there is of a try before; its objects stay, so its tasks that are done are not done again.
kubectl delete job "$name" $namespace --ignore-not-found --wait=true >&2
printf '%s\n' "$manifest" | kubectl apply $namespace -f - >&2
trap 'kubectl delete job "$name" $namespace --ignore-not-found --wait=false >&2; exit 1' INT TERM HUP
# The condition of the Job says how it ended. That the cluster does not answer for a while is no end.
waited=0
while [ $waited -lt "${RFMILL_WAIT:-21600}" ]; do
  ended=$(kubectl get job "$name" $namespace -o 'jsonpath={.status.conditions[?(@.status=="True")].type}') || ended=
  case " $ended " in
  *" Complete "*) exit 0 ;;
  *" Failed "*) exit 1 ;;
  esac
  sleep "${RFMILL_POLL:-2}"
  waited=$((waited + 2))
done
echo "the Job $name has not ended after $waited seconds; see kubectl describe job $name" >&2
exit 1
