#compdef secretree
# Completion of secretree for Zsh. The program itself is asked at Tab time.
_secretree() {
    local -i end=${words[(i)--]}
    if (( end < CURRENT )); then
        # Behind `--` stands another command.
        shift end words
        (( CURRENT -= end ))
        _normal
        return
    fi
    local line
    local -a whole part
    for line in "${(@f)$(command secretree completions zsh -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        case $line in
            '') ;;
            :files | :folders)
                [[ $PREFIX == --*=* ]] && compset -P 1 '*='
                if [[ $line == :folders ]]; then _files -/; else _files; fi
                return
                ;;
            *)
                line=${line/$'\t'/:}
                if [[ ${line%%:*} == *[./=] ]]; then part+=("$line"); else whole+=("$line"); fi
                ;;
        esac
    done
    local -i found=1
    (( $#part )) && _describe -V 'secretree' part -S '' && found=0
    (( $#whole )) && _describe -V 'secretree' whole && found=0
    return found
}

if [[ ${funcstack[1]} == _secretree ]]; then
    _secretree "$@"
elif (( $+functions[compdef] )); then
    compdef _secretree secretree
else
    print -u2 'secretree: no completion before compinit: autoload -Uz compinit && compinit'
fi
