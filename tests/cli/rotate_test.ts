import { deepStrictEqual, match } from "node:assert";
import { textOf } from "../support/kept_originals.ts";
import {
  auditOf,
  command,
  createRotating,
  expectNoLogin,
  type Generations,
  masksByKey,
  RUN,
  sharedLogins,
} from "../support/rotating.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const server = await sharedPostgres();

const wrongSettings: [what: string, settings: (keys: Generations) => object, err: RegExp][] = [
  ["VAULT_PRIVATE_KEY is not set", () => ({ VAULT_PRIVATE_KEY: "" }), /VAULT_PRIVATE_KEY: is not/],
  ["VAULT_PUBLIC_KEY is not set", () => ({ VAULT_PUBLIC_KEY: "" }), /VAULT_PUBLIC_KEY: is not/],
  [
    "MASK_KEY has one key",
    ({ new: { maskKey } }) => ({ MASK_KEY: textOf(maskKey) }),
    /MASK_KEY: expected the new key first and then the old ones, got one key/,
  ],
  [
    "the private key is of another pair",
    ({ new: { privateKey } }) => ({ VAULT_PRIVATE_KEY: textOf({ ...privateKey, id: "v1" }) }),
    /VAULT_PRIVATE_KEY: its v1 is not the private half of VAULT_PUBLIC_KEY/,
  ],
  [
    "the private half of the public key is not set",
    ({ new: { publicKey } }) => ({ VAULT_PUBLIC_KEY: textOf(publicKey) }),
    /VAULT_PRIVATE_KEY: expected the private half of VAULT_PUBLIC_KEY among its keys, got no v2/,
  ],
];
for (const [what, change, message] of wrongSettings) {
  Deno.test(`rotate run does nothing and exits with 2 when ${what}`, async () => {
    await using rotating = await createRotating(server, sharedLogins(10));
    const { inside, settings, keys } = rotating;
    const { code, out, err } = await command(RUN, { ...settings, ...change(keys) });
    deepStrictEqual([code, out], [2, ""]);
    match(err, message);
    deepStrictEqual(await auditOf(inside), []);
    deepStrictEqual(Object.keys((await masksByKey(inside)).rows), ["k1"]);
  });
}

const wrongUsage: [args: string[], err: RegExp][] = [
  [["rotate"], /^Expected: maskline rotate status/],
  [["rotate", "zq-x"], /^Expected: maskline rotate status/],
  [["rotate", "run"], /^--reason: expected 1 to 1000 characters/],
  [["rotate", "run", "--reason", "zq-\u0007x"], /^--reason: expected 1 to 1000 characters/],
  [["rotate", "run", "--reason", "x", "--json"], /^Expected: maskline rotate status/],
  [["rotate", "status", "--reason", "x"], /^Expected: maskline rotate status/],
];
for (const [args, message] of wrongUsage) {
  Deno.test(`rotate exits with 2 when the command line is ${JSON.stringify(args)}`, async () => {
    const { code, out, err } = await command(args, {});
    deepStrictEqual([code, out], [2, ""]);
    match(err, message);
    expectNoLogin(err);
  });
}
