import { openApiDocument } from "../../packages/howdah/dist/api/openapi.js";

export async function generate() {
  return `${JSON.stringify(await openApiDocument(), null, 2)}\n`;
}
