/**
 * Newline-delimited JSON, as the streaming endpoints send it: one value a line, blank lines mean nothing.
 * A text that ends without a newline yields what stands there: a server that dies mid-line gives a SyntaxError, not
 * half a value.
 */
export async function* parseLines(chunks: AsyncIterable<string>): AsyncGenerator<unknown> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line);
  }
  if (rest.trim() !== "") yield JSON.parse(rest);
}
