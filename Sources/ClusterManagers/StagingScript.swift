/// What brings the program to a host that does not have it, run there by sh.
///
/// It says on its standard output, in lines of their own (login scripts may print as well):
/// - `muster-have PATH`: the program is there;
/// - `muster-want`: it is not; its size, checksum and bytes are wanted on standard input;
/// - `muster-stop REASON DETAIL`: it can't be there. What the system said about it is on standard error.
enum StagingScript {
    /// The script; its arguments are a name for itself, the machine, the build ID, the program's name and its size.
    ///
    /// The program gets its name when it is complete, by a rename, and its temporary name is nobody else's: two that bring it
    /// at the same time both bring it, and the later one wins. A shell script shows whether programs may run from there.
    static let text = #"""
        part=
        stop() { printf '\nmuster-stop %s\n' "$*"; exit 3; }
        trap 'rm -f "$part"' EXIT
        trap 'exit 3' HUP INT TERM PIPE
        umask 077
        machine=$(uname -m)
        [ "$machine" = "$1" ] || stop machine "$machine"
        case ${XDG_CACHE_HOME-} in
        /*) cache=$XDG_CACHE_HOME ;;
        *) cache=${HOME-}/.cache ;;
        esac
        case $cache in /.cache) stop home ;; esac
        root=$cache/muster
        directory=$root/$2
        file=$directory/$3
        if [ -O "$root" ] && [ -O "$directory" ] && [ -O "$file" ] && [ -f "$file" ] && [ -x "$file" ] &&
            [ "$(wc -c <"$file")" -eq "$4" ]; then
            printf '\nmuster-have %s\n' "$file"
            exit 0
        fi
        mkdir -p "$directory" || stop write "$directory"
        [ -O "$root" ] || stop owner "$root"
        chmod 700 "$root" "$directory" || stop owner "$directory"
        find "$directory" -name '.part.*' -mtime +1 -exec rm -f {} + 2>/dev/null
        part=$(mktemp "$directory/.part.XXXXXXXXXX") || stop write "$directory"
        printf '#!/bin/sh\nexit 0\n' >"$part" && chmod 700 "$part" || stop write "$directory"
        "$part" || stop run "$directory"
        printf '\nmuster-want\n'
        IFS=' ' read -r size sum || stop input
        cat >"$part" || stop write "$directory"
        set -- $(cksum <"$part")
        [ "${2-}" = "$size" ] || stop size "${2-}" "$size"
        [ "${1-}" = "$sum" ] || stop sum "${1-}" "$sum"
        mv -f "$part" "$file" || stop write "$directory"
        part=
        printf '\nmuster-have %s\n' "$file"
        """#

    /// What the script says.
    enum Reply: Hashable, Sendable {
        /// The program's path, which need not be UTF-8.
        case have([UInt8])
        case want
        /// A word for the reason, and what belongs to it.
        case stop(reason: String, detail: String)

        /// Reads a line; `nil` if it says nothing of that kind.
        init?(_ line: [UInt8]) {
            let prefix = Array("muster-have ".utf8)
            if line.starts(with: prefix), line.count > prefix.count {
                self = .have(Array(line.dropFirst(prefix.count)))
                return
            }
            let words = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 2)
            switch (words.first, words.count) {
            case ("muster-want", 1): self = .want
            case ("muster-stop", 2...):
                self = .stop(reason: String(words[1]), detail: words.count > 2 ? String(words[2]) : "")
            default: return nil
            }
        }
    }
}
