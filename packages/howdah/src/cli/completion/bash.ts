import type { Completion } from "../command.js";
import { type CompletionNode, spellings } from "./model.js";

/** For bash from 3.2 on, as macOS still ships it: no associative arrays. */
export function bashScript(nodes: readonly CompletionNode[]): string {
  return `# Completion of howdah for bash. Use it with: eval "$(howdah completion bash)"
_howdah_names() {
  COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" complete-names "$1" 2>/dev/null)" -- "$cur"))
}
_howdah_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}
_howdah_files() {
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$cur"))
}
_howdah() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path= option= word i count=0
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $option ]]; then
      option=
      continue
    fi
    case $word in
      --) return ;;
      -*)
        case "$path:$word" in
${valuedOptions(nodes)}
        esac
        continue
        ;;
    esac
    case "$path/$word" in
${paths(nodes)}
      *) count=$((count + 1)) ;;
    esac
  done
  if [[ -n $option ]]; then
    case "$path:$option" in
${optionValues(nodes)}
    esac
    return
  fi
  if [[ $cur == -* ]]; then
    case "$path" in
${nodes.map((node) => `      ${quoted(node.path)}) _howdah_words ${quoted(node.options.flatMap(spellings).join(" "))} ;;`).join("\n")}
    esac
    return
  fi
  case "$path:$count" in
${words(nodes)}
  esac
}
complete -o default -F _howdah howdah
`;
}

function valuedOptions(nodes: readonly CompletionNode[]): string {
  const patterns = nodes.flatMap((node) =>
    node.options.filter((option) => option.takesValue).flatMap((o) => spellings(o).map((s) => `${node.path}:${s}`)),
  );
  return `          ${patterns.join(" | \\\n          ")}) option=$word ;;`;
}

function paths(nodes: readonly CompletionNode[]): string {
  return nodes
    .filter((node) => node.path !== "")
    .map((node) => `      ${node.words.map((word) => `${node.parent}/${word}`).join(" | ")}) path=${node.path} ;;`)
    .join("\n");
}

function optionValues(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap((node) =>
      node.options.flatMap((option) => {
        const call = offer(option.complete);
        if (call === undefined) return [];
        return [
          `      ${spellings(option)
            .map((s) => `${node.path}:${s}`)
            .join(" | ")}) ${call} ;;`,
        ];
      }),
    )
    .join("\n");
}

function words(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap((node) => {
      if (node.children.length > 0) {
        return [`    ${node.path}:0) _howdah_words ${quoted(node.children.map((child) => child.name).join(" "))} ;;`];
      }
      return node.positions.flatMap((complete, i) => {
        const call = offer(complete);
        const last = node.variadic && i === node.positions.length - 1;
        return call === undefined ? [] : [`    ${node.path}:${last ? "*" : i}) ${call} ;;`];
      });
    })
    .join("\n");
}

function offer(complete: Completion | undefined): string | undefined {
  if (complete === undefined) return undefined;
  if (complete === "files") return "_howdah_files";
  return typeof complete === "string" ? `_howdah_names ${complete}` : `_howdah_words ${quoted(complete.join(" "))}`;
}

function quoted(text: string): string {
  return `"${text}"`;
}
