# The daemons of the stand-in for LSF. LSF_ENVDIR names the directory of their state; while it has a file down, jobs
# can't be submitted.
state=$LSF_ENVDIR
. "$(dirname "$(readlink -f "$0")")/../jobs.sh"
stopped=' inactive ' submitter=bsub

# Sets $job, and $members to the directories that an id like 4 or 4[1] is about; none for a job that is not known.
find_job() {
    number=${1%%\[*}
    job= members=
    case $number in '' | *[!0-9]*) return 1 ;; esac
    job=$state/jobs/$(printf %06d "$number")
    [ -d "$job" ] || return 1
    members=$(echo "$job"/[0-9]*/)
    case $1 in
    *'['*)
        index=${1#*\[}
        members=$job/$(printf %04d "${index%%\]*}")/
        ;;
    esac
    for member in $members; do [ -d "$member" ] || return 1; done
}

# Sets $word to the word for the state of $member.
find_word() {
    get phase "$member/state"
    get status "$member/status"
    case $phase in
    Q) word=PEND ;;
    R) word=RUN ;;
    F) [ "$status" = 0 ] && word=DONE || word=EXIT ;;
    esac
}

# The numbers of the jobs of a name that are not over.
jobs_named() {
    for job in "$state"/jobs/*/; do
        [ -e "$job/name" ] || continue
        get name "$job/name"
        [ "$name" = "$1" ] || continue
        for member in "$job"[0-9]*/; do
            get phase "$member/state"
            [ "$phase" = F ] || { get number "$job/id" && echo "$number" && break; }
        done
    done
}
