import { expect, it } from "vitest";
import { RecentRoleSecrets } from "./recent-role-secrets.js";

function roles(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    role: `r${i}`,
    verifier: null,
    canLogin: true,
    validUntil: null,
  }));
}

it("are opened once, until they are forgotten or others need the room", () => {
  const opened: number[] = [];
  const recent = new RecentRoleSecrets();
  const look = (service: number, count: number) =>
    recent.of(service, () => {
      opened.push(service);
      return roles(count);
    });
  for (let i = 0; i < 3; i++) expect(look(1, 2).get("r1")?.role).toBe("r1");
  expect(opened).toEqual([1]);
  recent.forget(1);
  look(1, 20_000);
  look(2, 20_000);
  // Asked for last: the other one goes first.
  look(1, 20_000);
  expect(opened).toEqual([1, 1, 2]);
  look(3, 20_000);
  look(1, 20_000);
  expect(opened).toEqual([1, 1, 2, 3]);
  // Too large for any other beside it.
  look(4, 60_000);
  look(4, 60_000);
  look(3, 20_000);
  expect(opened).toEqual([1, 1, 2, 3, 4, 3]);
});
