import type { Completion } from "../command.js";
import { type CompletionNode, spellings } from "./model.js";

export function fishScript(nodes: readonly CompletionNode[]): string {
  return `# Completion of howdah for fish. Use it with: howdah completion fish | source
function __howdah_state
    set -l path ''
    set -l option ''
    set -l count 0
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test -n "$option"
            set option ''
            continue
        end
        switch "$word"
            case --
                echo "$path:--"
                return
            case '-*'
                switch "$path:$word"
                    case ${valuedOptions(nodes)}
                        set option $word
                end
                continue
        end
        switch "$path/$word"
${paths(nodes)}
            case '*'
                set count (math $count + 1)
        end
    end
    echo "$path:$count"
end
function __howdah_in
    string match -q -- "$argv[1]:*" (__howdah_state); and not string match -q -- '*:--' (__howdah_state)
end
function __howdah_at
    string match -q -- $argv[1] (__howdah_state)
end
complete -c howdah -f
complete -c howdah -n "string match -q -- '*:--' (__howdah_state)" -F
${nodes.flatMap(completions).join("\n")}
`;
}

function valuedOptions(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap((node) =>
      node.options.filter((option) => option.takesValue).flatMap((o) => spellings(o).map((s) => `'${node.path}:${s}'`)),
    )
    .join(" ");
}

function paths(nodes: readonly CompletionNode[]): string {
  return nodes
    .filter((node) => node.path !== "")
    .map((node) => {
      const patterns = node.words.map((word) => `${node.parent}/${word}`).join(" ");
      return `            case ${patterns}\n                set path ${node.path}`;
    })
    .join("\n");
}

function completions(node: CompletionNode): string[] {
  const children = node.children.map(
    ({ name, summary }) => `complete -c howdah -n '__howdah_at "${node.path}:0"' -a ${name} -d ${single(summary)}`,
  );
  const options = node.options.map((option) => {
    const short = option.short === undefined ? "" : ` -s ${option.short.slice(1)}`;
    const value = option.takesValue ? ` -r${source(option.complete)}` : "";
    const name = `${short} -l ${option.long.slice(2)}`;
    return `complete -c howdah -n '__howdah_in "${node.path}"'${name}${value} -d ${single(option.description)}`;
  });
  const positions = node.positions.flatMap((complete, i) => {
    if (complete === undefined) return [];
    const last = node.variadic && i === node.positions.length - 1;
    return [`complete -c howdah -n '__howdah_at "${node.path}:${last ? "*" : i}"'${source(complete)}`];
  });
  return [...children, ...options, ...positions];
}

function source(complete: Completion | undefined): string {
  if (complete === undefined) return "";
  if (complete === "files") return " -F";
  const words = typeof complete === "string" ? `(howdah complete-names ${complete} 2>/dev/null)` : complete.join(" ");
  return ` -a ${single(words)}`;
}

function single(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
