import { deepStrictEqual, rejects } from "node:assert";
import { createKeyChain, OpenError } from "../../lib/vault/open.ts";
import { createSealer } from "../../lib/vault/seal.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";

const pairs = [await generateVaultKeys(), await generateVaultKeys()] as const;
const privateKeys = pairs.map(({ privateKey }, index) => ({ id: `v${index}`, bytes: privateKey }));

/** Seals each value under its own data key. */
async function sealed(values: readonly string[], pair: 0 | 1) {
  const sealer = await createSealer({ id: `v${pair}`, bytes: pairs[pair].publicKey });
  return await Promise.all(values.map(async (value) => {
    const binding = { field: "ip", mask: `k1.${value}` };
    return { value, binding, bytes: (await sealer.startBatch()).seal(value, binding) };
  }));
}

Deno.test("open() opens values in any order, and again, when they have more data keys than it keeps", async () => {
  const chain = createKeyChain(privateKeys);
  const values = Array.from({ length: 300 }, (_, index) => `value-${index}`);
  const all = [
    ...(await sealed(values, 0)).map((one) => ({ ...one, keyId: "v0" })),
    ...(await sealed(values, 1)).map((one) => ({ ...one, keyId: "v1" })),
  ];
  for (const order of [all, all.toReversed()]) {
    const opened = order.map(({ bytes, keyId, binding }) => chain.open(bytes, keyId, binding));
    deepStrictEqual(await Promise.all(opened), order.map(({ value }) => value));
  }
});

Deno.test("open() refuses a changed or moved value when another one of its batch was opened", async () => {
  const chain = createKeyChain(privateKeys);
  const sealer = await createSealer({ id: "v0", bytes: pairs[0].publicKey });
  const batch = await sealer.startBatch();
  const binding = { field: "ip", mask: "k1.a" };
  const bytes = batch.seal("zq7", binding);
  await chain.open(bytes, "v0", binding);
  const flipped = Uint8Array.from(bytes);
  flipped.set([(bytes.at(-1) ?? 0) ^ 1], bytes.length - 1);
  await rejects(() => chain.open(flipped, "v0", binding), OpenError);
  await rejects(() => chain.open(bytes, "v0", { ...binding, mask: "k1.b" }), OpenError);
  await rejects(() => chain.open(bytes.slice(0, 100), "v0", binding), OpenError);
  await rejects(() => chain.open(bytes, "v1", binding), OpenError);
});

Deno.test("open() refuses a value again when it has refused it before", async () => {
  const chain = createKeyChain([{ ...privateKeys[1], id: "v0" } as typeof privateKeys[0]]);
  const [one] = await sealed(["value"], 0);
  for (let time = 0; time < 2; time++) {
    await rejects(
      () => chain.open(one?.bytes ?? new Uint8Array(), "v0", { field: "ip", mask: "" }),
      {
        message: /The vault key v0 does not open the sealed value/,
      },
    );
  }
});

Deno.test("open() opens the others of a batch when the first one was truncated", async () => {
  // An earlier version remembered the failure of the first as that of their data key.
  const chain = createKeyChain(privateKeys);
  const sealer = await createSealer({ id: "v0", bytes: pairs[0].publicKey });
  const batch = await sealer.startBatch();
  const binding = { field: "ip", mask: "k1.a" };
  const bytes = batch.seal("value", binding);
  await rejects(() => chain.open(bytes.slice(0, 90), "v0", binding), { message: /another layout/ });
  deepStrictEqual(await chain.open(bytes, "v0", binding), "value");
});
