import type { Control } from "../control/types.js";
import { createLogger } from "../kernel/log.js";
import { buildApi } from "./app.js";
import { publishedDocument } from "./published-document.js";
import { howdahVersion } from "./version.js";

/** The OpenAPI 3.1 document that `/api/openapi.json` serves, made without a running control. */
export async function openApiDocument(): Promise<object> {
  const app = await buildApi({
    control: describedOnly(),
    log: createLogger("silent"),
    version: howdahVersion(),
    info: unasked,
    recoveryKey: unasked,
    shutdown: unasked,
    authenticate: unasked,
    closing: new AbortController().signal,
  });
  await app.ready();
  const document = publishedDocument(app.swagger());
  await app.close();
  return document;
}

/** Routes take the parts of control that they use when they are made, and call them only at a request. */
function describedOnly(): Control {
  const part = new Proxy({}, { get: () => unasked });
  return new Proxy({}, { get: () => part }) as Control;
}

function unasked(): never {
  throw new Error("the API was only built to be described");
}
