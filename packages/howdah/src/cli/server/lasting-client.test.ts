import { describe, expect, it } from "vitest";
import type { HowdahClient } from "../../api/client/types.js";
import { HowdahError } from "../../kernel/errors.js";
import { lastingClient } from "./lasting-client.js";

const away = (errno: string) => new HowdahError("SERVER_UNREACHABLE", "away", { fields: { errno } });

/** A client whose calls fail with these errors in turn, then succeed; and how often the server was brought back. */
function scripted(...errors: Error[]) {
  const seen = { calls: 0, brought: 0 };
  const call = async () => {
    seen.calls++;
    const error = errors.shift();
    if (error !== undefined) throw error;
    return "answer";
  };
  const inner = { status: call, shutdown: call, services: { list: call, create: call } } as unknown as HowdahClient;
  const client = lastingClient(inner, async () => {
    seen.brought++;
  });
  return { seen, client };
}

describe("lastingClient", () => {
  it("makes a call again that found nobody", async () => {
    for (const errno of ["ENOENT", "ECONNREFUSED"]) {
      const { seen, client } = scripted(away(errno));
      expect(await client.services.create({ name: "x", service_type: "postgres", parameters: {} })).toBe("answer");
      expect(seen).toEqual({ calls: 2, brought: 1 });
    }
  });

  it("makes a call again that broke off, if it may be made twice", async () => {
    const { seen, client } = scripted(away("ECONNRESET"));
    expect(await client.services.list()).toBe("answer");
    expect(seen).toEqual({ calls: 2, brought: 1 });
  });

  it("leaves alone what may not, other errors, and the end of the server", async () => {
    const create = scripted(away("ECONNRESET"));
    await expect(create.client.services.create({ name: "x", service_type: "t", parameters: {} })).rejects.toThrow(
      "away",
    );
    const other = scripted(new HowdahError("SERVICE_NOT_FOUND", "no"));
    await expect(other.client.status()).rejects.toThrow("no");
    const end = scripted(away("ECONNREFUSED"));
    await expect(end.client.shutdown({ all: false })).rejects.toThrow("away");
    expect([create.seen, other.seen, end.seen]).toEqual(Array(3).fill({ calls: 1, brought: 0 }));
  });

  it("tries no third time", async () => {
    const { seen, client } = scripted(away("ENOENT"), away("ENOENT"));
    await expect(client.status()).rejects.toThrow("away");
    expect(seen).toEqual({ calls: 2, brought: 1 });
  });
});
