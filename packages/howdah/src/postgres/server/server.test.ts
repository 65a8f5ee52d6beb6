import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRoot, silent, TestHome } from "../../../test/support/server.js";
import { passwordWorks, provision } from "../role/index.js";
import type { ServerSpec } from "../types.js";
import { connectAdmin, observeServer, startServer, stopServer } from "./index.js";

describe("a server", () => {
  let home: TestHome;
  let spec: ServerSpec;
  beforeAll(async () => {
    home = await TestHome.make();
    spec = await home.server();
  });
  afterAll(() => home[Symbol.asyncDispose]());

  it("starts", async () => {
    expect(await observeServer(spec)).toEqual({ kind: "down", survivors: [] });
    const t = performance.now();
    const first = await startServer(spec, { log: silent });
    console.log("start", first.durationMs, performance.now() - t);
    expect(await observeServer(spec)).toEqual({ kind: "ready", postmaster: first.postmaster });
    expect(await startServer(spec, { log: silent })).toMatchObject({ postmaster: first.postmaster });
    const client = await connectAdmin(spec);
    console.log(
      (
        await client.query(
          "select current_user, version(), current_setting('shared_buffers'), current_setting('log_timezone')",
        )
      ).rows,
    );
    await client.end();
    let u = performance.now();
    await provision(spec, { username: "postgres", database: "app", password: "pässwörd" });
    console.log("prov", performance.now() - u);
    expect(await passwordWorks(spec, { username: "postgres", database: "app", password: "pässwörd" })).toBe(true);
    u = performance.now();
    await stopServer(spec, { mode: "fast", timeoutMs: 10000, log: silent });
    console.log("stop", performance.now() - u);
    u = performance.now();
    const r = await startServer(spec, { log: silent });
    console.log("start2", r.durationMs, performance.now() - u);
    await stopServer(spec, { mode: "fast", timeoutMs: 10000, log: silent });
  });
});
