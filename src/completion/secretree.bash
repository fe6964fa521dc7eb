# Completion of secretree for Bash. The program itself is asked at Tab time.
_secretree() {
    local current=$2 index line
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        if [[ ${COMP_WORDS[index]} == -- ]]; then
            _secretree_command $((index + 1))
            return
        fi
    done
    # Between --option and its value stands a word of its own.
    [[ ${COMP_WORDS[COMP_CWORD]} == = ]] && current='='
    while IFS= read -r line; do
        case $line in
            '') ;;
            :files | :folders)
                [[ $current == = ]] && current=
                local kind=-f
                [[ $line == :folders ]] && kind=-d
                compopt -o filenames 2>/dev/null
                while IFS= read -r line; do
                    [[ -n $line ]] && COMPREPLY+=("$line")
                done <<<"$(compgen "$kind" -- "$current")"
                return
                ;;
            *)
                line=${line%%$'\t'*}
                COMPREPLY+=("$line")
                [[ $line == *[./=] ]] && compopt -o nospace 2>/dev/null
                ;;
        esac
    done <<<"$(command secretree completions bash -- "${COMP_WORDS[@]:0:COMP_CWORD}" "$current" 2>/dev/null)"
}

# Behind `--` stands another command, which begins at word $1.
_secretree_command() {
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$1"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    else
        local kind=-f line
        [[ $1 == "$COMP_CWORD" ]] && kind=-c
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do
            [[ -n $line ]] && COMPREPLY+=("$line")
        done <<<"$(compgen "$kind" -- "${COMP_WORDS[COMP_CWORD]}")"
    fi
}

complete -F _secretree secretree
