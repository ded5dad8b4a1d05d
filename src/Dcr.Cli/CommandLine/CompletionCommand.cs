using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr completion</c>: the few lines by which a shell asks this command how a word may go on.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _dcr() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$(dcr "[suggest:$COMP_POINT]" "$COMP_LINE" 2> /dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o nosort -o default -F _dcr dcr
        """;

    private const string Zsh = """
        _dcr() {
          local -a words_for
          words_for=("${(@f)$(dcr "[suggest:$CURSOR]" "$BUFFER" 2> /dev/null)}")
          compadd -V dcr -- $words_for
          _files
        }
        compdef _dcr dcr
        """;

    private const string Fish = """
        complete -c dcr -k -a '(dcr "[suggest:"(string length (commandline -cp))"]" (commandline -cp) 2> /dev/null)'
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName dcr -ScriptBlock {
          param($word, $ast, $position)
          dcr "[suggest:$position]" "$ast" 2> $null | Where-Object { $_ -like "$word*" } | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_)
          }
        }
        """;

    private static readonly Argument<string> s_shell = new Argument<string>("shell")
    {
        Description = "bash, zsh, fish or pwsh",
    }.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");

    public static Command Create() => new LeafCommand(
        "completion",
        "Write a script by which a shell completes dcr commands",
        new Example("eval \"$(dcr completion bash)\"", "for this bash; put it into ~/.bashrc for all"),
        new Example("dcr completion fish > dcr.fish", "for fish: move it to ~/.config/fish/completions"))
        .With(s_shell)
        .Does((run, _) =>
        {
            run.Terminal.Write(run.Get(s_shell) switch
            {
                "zsh" => Zsh,
                "fish" => Fish,
                "pwsh" => PowerShell,
                _ => Bash,
            });
            return Task.CompletedTask;
        });
}
