import fc from "fast-check";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { bisect } from "../../lib/pipeline/bisect.ts";
import { StoreError } from "../../lib/store/store.ts";

const refused = new StoreError("data", "22001", "Postgres refused with SQLSTATE 22001");

/** Bisects `count` items, rejects those that `isBad` selects, and counts the commits. */
async function run(count: number, isBad: (item: number) => boolean) {
  const items = Array.from({ length: count }, (_, index) => index);
  const committed: number[] = [];
  const found: number[] = [];
  let commits = 0;
  await bisect(items, {
    commit: async (part) => {
      commits++;
      if (part.some(isBad)) throw refused;
      committed.push(...part);
    },
    reject: async (item) => void found.push(item),
  });
  return { committed, found, commits };
}

Deno.test("bisect() commits once when no item is bad", async () => {
  const { commits, committed } = await run(1_000, () => false);
  strictEqual(commits, 1);
  strictEqual(committed.length, 1_000);
});

Deno.test("bisect() needs at most 25 further commits when one of 1,000 is bad, at any position", async () => {
  for (let bad = 0; bad < 1_000; bad++) {
    const { commits, found, committed } = await run(1_000, (item) => item === bad);
    // The first commit is the one that failed. The rejection of the bad item is one more.
    ok(commits - 1 + found.length <= 25, `${commits} commits for item ${bad}`);
    deepStrictEqual(found, [bad]);
    strictEqual(committed.length, 999);
  }
});

Deno.test("bisect() rejects exactly the bad items when any items are bad", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (bad) => {
    const { found, committed } = await run(bad.length, (item) => bad[item] === true);
    const expected = bad.flatMap((isBad, index) => isBad ? [index] : []);
    deepStrictEqual(found, expected);
    strictEqual(committed.length, bad.length - expected.length);
  }));
});

Deno.test("bisect() passes the error to reject() when an item is bad alone", async () => {
  const errors: StoreError[] = [];
  await bisect([1], {
    commit: () => Promise.reject(refused),
    reject: async (_, error) => void errors.push(error),
  });
  deepStrictEqual(errors, [refused]);
});

for (const kind of ["transient", "fatal"] as const) {
  Deno.test(`bisect() throws and does not split when the error is ${kind}`, async () => {
    let commits = 0;
    const failing = bisect([1, 2], {
      commit: () => {
        commits++;
        return Promise.reject(new StoreError(kind, "57P01", "Refused"));
      },
      reject: () => Promise.resolve(),
    });
    await rejects(failing, { name: "StoreError", kind });
    strictEqual(commits, 1);
  });
}

Deno.test("bisect() throws when reject() throws", async () => {
  const failing = bisect([1, 2], {
    commit: () => Promise.reject(refused),
    reject: () => Promise.reject(new Error("Refusing failed")),
  });
  await rejects(failing, /Refusing failed/);
});
