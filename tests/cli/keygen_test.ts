import { deepStrictEqual, match, notStrictEqual, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import type { NamedKey } from "../../lib/base/named_key.ts";
import { parseNamedKeys } from "../../lib/config/parse_keys.ts";
import { readSettings } from "../../lib/config/read_settings.ts";
import { open } from "../support/open_sealed.ts";
import { createSealer } from "../../lib/vault/seal.ts";
import { fakeIo, fakeSource } from "../support/fake_io.ts";

async function keygen(): Promise<string> {
  const io = fakeIo();
  strictEqual(await main(["keygen"], io), 0);
  strictEqual(io.written.err, "");
  return io.written.out;
}

/** Parses the lines of an env file. */
function variablesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.trimEnd().split("\n").map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

function onlyKey(text: string | undefined): NamedKey {
  return parseNamedKeys(text ?? "")[0];
}

Deno.test("keygen prints three lines for an env file or a shell when it is run", async () => {
  const key = String.raw`[\w+/]{43}=\n`;
  const lines = `MASK_KEY=k1:${key}VAULT_PUBLIC_KEY=v1:${key}VAULT_PRIVATE_KEY=v1:${key}`;
  match(await keygen(), new RegExp(`^${lines}$`));
});

Deno.test("keygen prints values that readSettings() accepts when they are set", async () => {
  const variables = variablesOf(await keygen());
  const settings = readSettings(fakeSource(variables), ["MASK_KEY", "VAULT_PUBLIC_KEY"]);
  deepStrictEqual(settings.MASK_KEY?.map(({ id }) => id), ["k1"]);
  deepStrictEqual(settings.VAULT_PUBLIC_KEY?.map(({ id }) => id), ["v1"]);
});

Deno.test("keygen prints a private key that opens what was sealed when the public key sealed it", async () => {
  const variables = variablesOf(await keygen());
  const sealer = await createSealer(onlyKey(variables["VAULT_PUBLIC_KEY"]));
  const binding = { field: "ip", mask: "k1.mask" };
  const sealed = await (await sealer.startBatch()).seal("203.0.113.7", binding);
  const privateKey = onlyKey(variables["VAULT_PRIVATE_KEY"]);
  strictEqual(await open(privateKey, Uint8Array.from(sealed), binding), "203.0.113.7");
});

Deno.test("keygen prints other keys when it is run again", async () => {
  const [one, other] = [variablesOf(await keygen()), variablesOf(await keygen())];
  for (const name of ["MASK_KEY", "VAULT_PUBLIC_KEY", "VAULT_PRIVATE_KEY"]) {
    notStrictEqual(one[name], other[name]);
  }
});

Deno.test("keygen works when the settings are wrong", async () => {
  const io = fakeIo({ settings: { MASK_KEY: "x", BATCH_ROWS: "x" } });
  strictEqual(await main(["keygen"], io), 0);
});
