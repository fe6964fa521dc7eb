# Completion of secretree for Elvish. The program itself is asked at Tab time.
use str
set edit:completion:arg-completer[secretree] = {|@words|
    var end = -1
    for index [(range 1 (- (count $words) 1))] {
        if (and (== $end -1) (==s $words[$index] --)) {
            set end = $index
        }
    }
    if (!= $end -1) {
        # Behind `--` stands another command.
        edit:complete-sudo (all $words[$end..])
    } else {
        try {
            e:secretree completions elvish -- $@words 2>/dev/null | from-lines | each {|line|
                if (or (==s $line :files) (==s $line :folders)) {
                    edit:complete-filename $words[-1]
                } elif (not-eq $line '') {
                    var value @text = (str:split "\t" $line)
                    var goes-on = (or (str:has-suffix $value .) (str:has-suffix $value /) (str:has-suffix $value =))
                    var suffix = ' '
                    if $goes-on {
                        set suffix = ''
                    }
                    var shown = $value
                    if (> (count $text) 0) {
                        set shown = $value' ('$text[0]')'
                    }
                    edit:complex-candidate $value &display=$shown &code-suffix=$suffix
                }
            }
        } catch {
            nop
        }
    }
}
