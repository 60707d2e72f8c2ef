# The server of the stand-in for PBS. PBS_CONF_FILE names a file in the directory of its state; where that has a file torque, it is
# Torque, else OpenPBS; where it has a file down, the server does not answer.
state=$(dirname "$PBS_CONF_FILE")
server=stand-in
. "$(dirname "$(readlink -f "$0")")/../jobs.sh"
stopped=' stopped ' submitter=qsub
dialect=openpbs
[ ! -e "$state/torque" ] || dialect=torque
unknown='Unknown Job Id'
[ $dialect = openpbs ] || unknown='Unknown Job Id Error'

# Sets $job, and $members to the directories that an id like 4, 4.server, 4[] or 4[1].server is about; none for a job that is not known.
find_job() {
    number=${1%%.*}
    number=${number%%\[*}
    job= members=
    case $number in '' | *[!0-9]*) return 1 ;; esac
    job=$state/jobs/$(printf %06d "$number")
    [ -d "$job" ] || return 1
    case $1 in
    *'[]'*) members=$(echo "$job"/[0-9]*/) ;;
    *'['*)
        index=${1#*\[}
        members=$job/$(printf %04d "${index%%\]*}")/
        ;;
    *) members=$job/0000/ ;;
    esac
    for member in $members; do [ -d "$member" ] || return 1; done
}

# Whether each of $members is over.
is_over() {
    for member in $members; do
        get phase "$member/state"
        [ "$phase" = F ] || return 1
    done
}

# Ends a command with a status if the server does not answer: reach_server COMMAND STATUS
reach_server() {
    [ -e "$state/down" ] || return 0
    printf '%s\n' 'Connection refused' "$1: cannot connect to server $server (errno=15010)" >&2
    exit "$2"
}
