# Completion of secretree for PowerShell. The program itself is asked at Tab time.
Register-ArgumentCompleter -Native -CommandName secretree -ScriptBlock {
    param($current, $line, $cursor)
    $before = @($line.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object {
        if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
    })
    # The colon keeps an empty word, which older versions would not pass on.
    $found = & secretree completions powershell '--' @before ":$current" 2>$null
    foreach ($candidate in $found) {
        if ($candidate -eq ':files' -or $candidate -eq ':folders') { return }
        $value, $text = $candidate -split "`t", 2
        if (-not $value) { continue }
        if (-not $text) { $text = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $text)
    }
}
