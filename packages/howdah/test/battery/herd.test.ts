/** A thousand clients come at once to a service that sleeps and has room for a hundred. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectTo, Installation, query, until } from "../support/installation.js";

const CLIENTS = 1_000;

describe("a herd of clients", () => {
  let howdah: Installation;
  beforeAll(() => {
    howdah = new Installation();
  });
  afterAll(() => howdah[Symbol.asyncDispose]());

  it(`${CLIENTS} connections to a sleeping service with max_connections 100: one start, as many answers`, async () => {
    const create = ["services", "create", "-t", "postgres", "-n", "herd", "-s", "max_connections=100"];
    await howdah.ok([...create, "-s", "mode=flash", "-s", "timeout=1", "-s", "hold=120"]);
    const url = await howdah.url("herd");
    await until("it sleeps", async () => (await howdah.json(["services", "show", "herd"])).status === "sleeping");
    const started = async () =>
      (await howdah.json(["services", "events", "herd"])).filter((e: { kind: string }) => e.kind === "started").length;
    const before = await started();
    const answers = await Promise.allSettled(
      Array.from({ length: CLIENTS }, async (_, i) => {
        const client = await connectTo(`${url}${url.includes("?") ? "&" : "?"}application_name=herd-${i}`);
        const { rows } = await client.query("select $1::int as n", [i]);
        await client.end();
        return rows[0].n as number;
      }),
    );
    const failed = answers.flatMap((a) => (a.status === "rejected" ? [String(a.reason)] : []));
    expect(failed).toEqual([]);
    expect(answers.map((a) => (a.status === "fulfilled" ? a.value : null))).toEqual([...Array(CLIENTS).keys()]);
    expect(await started()).toBe(before + 1);
    expect(await query(url, "select current_setting('max_connections') as n")).toEqual([{ n: "100" }]);
  }, 300_000);
});
