# What the stand-ins for PBS and LSF have in common: jobs as directories, and who may run.
#
#   $state/owner           the number of the process whose end ends all jobs, as does the removal of $state
#   $state/jobs/000004/    a job: files id name queue cpus limit script environment directory …
#   $state/jobs/000004/0001/   a member of it; of a job that is no array, the only one, 0000: files index state status …
#
# State is Q (waits), R (runs) or F (is over). $cpus_there is how many CPUs all jobs have together.

here=$(dirname "$(readlink -f "$0")")
cpus_there=8

# Runs a function with its arguments while no other command does: locked FUNCTION ARGUMENT…
locked() { ( flock 9 && "$@" ) 9>>"$state/lock"; }

# Sets the variable to a file's first line: get VARIABLE FILE
get() { eval "$1="; [ ! -e "$2" ] || IFS= read -r "$1" <"$2" || :; }

# The names of the environment's variables.
names() { env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'; }

# Makes the directory of a new job, and sets $job and $number: the first is number 0.
new_job() {
    get number "$state/next"
    number=${number:-0}
    echo $((number + 1)) >"$state/next"
    job=$state/jobs/$(printf %06d "$number")
    mkdir -p "$job"
}

# new_member INDEX
new_member() {
    mkdir "$job/$(printf %04d "$1")"
    echo "$1" >"$job/$(printf %04d "$1")/index"
    echo Q >"$job/$(printf %04d "$1")/state"
}

# Starts what has its turn and finds room, in order. $stopped has the names of queues in which nothing starts, with blanks around;
# $submitter is the stand-in that knows what jobs need.
schedule() {
    used=0
    for member in "$state"/jobs/*/*/; do
        [ -e "$member/state" ] || continue
        get phase "$member/state"
        get cpus "$member/../cpus"
        [ "$phase" != R ] || used=$((used + cpus))
    done
    for member in "$state"/jobs/*/*/; do
        [ -e "$member/state" ] || continue
        get phase "$member/state"
        get cpus "$member/../cpus"
        get queue "$member/../queue"
        [ "$phase" = Q ] && [ $((used + cpus)) -le "$cpus_there" ] || continue
        case $stopped in *" $queue "*) continue ;; esac
        used=$((used + cpus))
        echo R >"$member/state"
        # A command that waits for it runs an interactive job itself.
        [ ! -e "$member/attached" ] || continue
        # As from a daemon: nothing of who submits, or of whose end makes room, goes along, nor which signals it ignores.
        env -i --default-signal PATH="$PATH" setsid "$here/../runner" "$here/$submitter" "$state" "${member%/}" </dev/null >/dev/null 2>&1 9>&- &
    done
}

# Ends a member: stop MEMBER. One that runs is told to, and killed if it is there some seconds later.
stop() {
    get phase "$1/state"
    case $phase in
    Q) echo F >"$1/state" ;;
    R)
        touch "$1/stopped"
        get leader "$1/leader"
        [ -z "$leader" ] || kill -s TERM -- "-$leader" 2>/dev/null
        ;;
    esac
}
