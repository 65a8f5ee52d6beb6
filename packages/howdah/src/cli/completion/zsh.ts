import type { Completion } from "../command.js";
import { type CompletionNode, type CompletionOption, spellings } from "./model.js";

export function zshScript(nodes: readonly CompletionNode[]): string {
  return `#compdef howdah
# Completion of howdah for zsh. Use it with: eval "$(howdah completion zsh)"
_howdah_names() {
  local -a names
  names=(\${(f)"$($words[1] complete-names $1 2>/dev/null)"})
  compadd -a names
}
_howdah() {
  local path_= option= word
  local -i i count=0
  local -a list
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ -n $option ]]; then
      option=
      continue
    fi
    case $word in
      --) _normal; return ;;
      -*)
        case "$path_:$word" in
          (${valuedOptions(nodes)}) option=$word ;;
        esac
        continue
        ;;
    esac
    case "$path_/$word" in
${paths(nodes)}
      (*) count+=1 ;;
    esac
  done
  if [[ -n $option ]]; then
    case "$path_:$option" in
${optionValues(nodes)}
      (*) _files ;;
    esac
    return
  fi
  if [[ $words[CURRENT] == -* ]]; then
    case "$path_" in
${nodes.map((node) => `      (${single(node.path)}) list=(${node.options.flatMap(describeOption).join(" ")}) ;;`).join("\n")}
    esac
    _describe -o option list
    return
  fi
  case "$path_:$count" in
${positions(nodes)}
    (*) _files ;;
  esac
}
if [[ $funcstack[1] == _howdah ]]; then
  _howdah "$@"
else
  compdef _howdah howdah
fi
`;
}

function valuedOptions(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap((node) =>
      node.options.filter((option) => option.takesValue).flatMap((o) => spellings(o).map((s) => `${node.path}:${s}`)),
    )
    .join("|");
}

function paths(nodes: readonly CompletionNode[]): string {
  return nodes
    .filter((node) => node.path !== "")
    .map((node) => `      (${node.words.map((word) => `${node.parent}/${word}`).join("|")}) path_=${node.path} ;;`)
    .join("\n");
}

function optionValues(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap((node) =>
      node.options.flatMap((option) => {
        const call = offer(option.complete);
        const patterns = spellings(option).map((spelling) => `${node.path}:${spelling}`);
        return call === undefined ? [] : [`      (${patterns.join("|")}) ${call} ;;`];
      }),
    )
    .join("\n");
}

function positions(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap((node) => {
      if (node.children.length > 0) {
        const list = node.children.map(({ name, summary }) => single(`${name}:${summary}`)).join(" ");
        return [`    (${node.path}:0) list=(${list}); _describe command list ;;`];
      }
      return node.positions.flatMap((complete, i) => {
        const call = offer(complete);
        const last = node.variadic && i === node.positions.length - 1;
        return call === undefined ? [] : [`    (${node.path}:${last ? "*" : i}) ${call} ;;`];
      });
    })
    .join("\n");
}

function describeOption(option: CompletionOption): string[] {
  return spellings(option).map((spelling) => single(`${spelling}:${option.description}`));
}

function offer(complete: Completion | undefined): string | undefined {
  if (complete === undefined) return undefined;
  if (complete === "files") return "_files";
  return typeof complete === "string" ? `_howdah_names ${complete}` : `compadd -- ${complete.join(" ")}`;
}

function single(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
