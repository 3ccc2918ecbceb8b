using System.Text;

namespace Perceptual.Cli;

/// <summary>A table of methods in the languages of papers and of web pages.</summary>
internal static class TableMarkup
{
    /// <summary>
    /// A table of GitHub's Markdown and a line that says what the numbers are: the best bold, the second underlined.
    /// </summary>
    public static string Markdown(MethodTable table)
    {
        var text = new StringBuilder();
        Row("method", table.Headers);
        Row("---", table.Headers.Select(_ => "---:"));
        foreach (var (m, row) in table.Cells.Index())
            Row(EscapeMarkdown(table.Columns.Methods[m]), row.Select(Cell));
        text.Append($"\n{EscapeMarkdown(table.Caption)}{table.Marks("best **bold**", "second <u>underlined</u>")}\n");
        if (table.Cells.Length > 1)
            text.Append($"\n\\* {EscapeMarkdown(table.StarMeaning)}\n");
        return text.ToString();

        void Row(string first, IEnumerable<string> cells) =>
            text.Append($"| {first} | {string.Join(" | ", cells)} |\n");

        string Cell(MethodCell cell, int metric)
        {
            var mean = table.Mean(metric, cell);
            return (IsMarked(table, cell, 1) ? $"**{mean}**" : IsMarked(table, cell, 2) ? $"<u>{mean}</u>" : mean)
                + (cell.Difference is { IsStarred: true } ? "\\*" : "") + table.Spread(metric, cell);
        }
    }

    /// <summary>A LaTeX table, for the package booktabs: the best bold, the second underlined.</summary>
    public static string Latex(MethodTable table)
    {
        var caption = EscapeLatex(table.Caption + table.Marks("best bold", "second underlined")) + "."
            + (table.Cells.Length > 1 ? $" $^{{*}}$ {EscapeLatex(table.StarMeaning)}." : "");
        return LatexTable(caption, $"l{new string('c', table.Columns.Names.Count)}",
            ["method", .. table.Headers.Select(EscapeLatex)],
            table.Cells.Select((row, m) => row.Select(Cell).Prepend(EscapeLatex(table.Columns.Methods[m]))));

        string Cell(MethodCell cell, int metric)
        {
            var mean = Maths(table.Mean(metric, cell));
            return "$" + (IsMarked(table, cell, 1) ? $"\\mathbf{{{mean}}}"
                    : IsMarked(table, cell, 2) ? $"\\underline{{{mean}}}" : mean)
                + (cell.Difference is { IsStarred: true } ? "^{*}" : "") + Maths(table.Spread(metric, cell)) + "$";
        }
    }

    /// <summary>A table of LaTeX, for the package booktabs, from what is LaTeX already.</summary>
    public static string LatexTable(
        string caption, string columns, IEnumerable<string> header, IEnumerable<IEnumerable<string>> rows)
    {
        return $$"""
            % \usepackage{booktabs}
            \begin{table}
            \centering
            \caption{{{caption}}}
            \medskip
            \begin{tabular}{{{columns}}}
            \toprule
            {{Line(header)}}\midrule
            {{string.Concat(rows.Select(Line))}}\bottomrule
            \end{tabular}
            \end{table}

            """.ReplaceLineEndings("\n");

        static string Line(IEnumerable<string> cells) => $"{string.Join(" & ", cells)} \\\\\n";
    }

    /// <summary>A score with its interval and perhaps a star, as a formula of LaTeX.</summary>
    public static string Formula(string cell) =>
        $"${Maths(cell).Replace("*", "^{*}", StringComparison.Ordinal)}$";

    /// <summary>Text that Markdown shows as it is, in a cell of a table too.</summary>
    public static string EscapeMarkdown(string text) =>
        Escape(text, c => char.IsAscii(c) && @"\`*_{}[]<>#|$~&%".Contains(c) ? $"\\{c}" : null);

    /// <summary>Text that LaTeX shows as it is.</summary>
    public static string EscapeLatex(string text) => Escape(text, c => c switch
    {
        '\\' => @"\textbackslash{}",
        '_' or '&' or '%' or '$' or '#' or '{' or '}' => $"\\{c}",
        '^' => @"\textasciicircum{}",
        '~' => @"\textasciitilde{}",
        '|' => @"\textbar{}",
        '<' => @"\textless{}",
        '>' => @"\textgreater{}",
        '±' => @"$\pm$",
        '↑' => @"$\uparrow$",
        '↓' => @"$\downarrow$",
        _ => null,
    });

    private static string Escape(string text, Func<char, string?> escape) =>
        string.Concat(Printable.Escape(text).Select(c => escape(c) ?? $"{c}"));

    private static string Maths(string text) => text.Replace("±", "\\pm", StringComparison.Ordinal)
        .Replace("∞", "\\infty", StringComparison.Ordinal).Replace(" [", "\\ [", StringComparison.Ordinal);

    // Of two methods one is the best, and the other needs no mark.
    private static bool IsMarked(MethodTable table, MethodCell cell, int place) =>
        cell.Place == place && table.Cells.Length > place;
}
