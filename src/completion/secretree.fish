# Completion of secretree for fish. The program itself is asked at Tab time.
function __secretree_complete
    set --local before (commandline --current-process --tokenize --cut-at-cursor)
    set --local current (commandline --current-token --cut-at-cursor)
    if set --local end (contains --index -- -- $before)
        # Behind `--` stands another command.
        set --local words (string escape -- $before[(math $end + 1)..])
        complete --do-complete (string join ' ' -- $words $current)
        return
    end
    set --local lines (command secretree completions fish -- $before "$current" 2>/dev/null)
    switch "$lines[1]"
        case :files :folders
            # What stands before the file: --option=
            set --local start (string replace --regex -- '^--[^=]*=' '' "$current")
            set --local option (string match --regex -- '^--[^=]*=' "$current"; or echo)
            if test $lines[1] = :folders
                printf '%s\n' $option(__fish_complete_directories "$start" '')
            else
                printf '%s\n' $option(__fish_complete_path "$start")
            end
        case '*'
            printf '%s\n' $lines
    end
end

complete --command secretree --no-files --keep-order --arguments '(__secretree_complete)'
