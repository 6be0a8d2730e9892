import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { createHash, hkdfSync } from "node:crypto";
import { main } from "../../lib/cli/main.ts";
import { createMasker } from "../../lib/mask/mask.ts";
import { createKeyChain, OpenError } from "../../lib/vault/open.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import { dumpText } from "../support/dump.ts";
import { fakeIo } from "../support/fake_io.ts";
import { createLine, type Line } from "../support/line.ts";
import { runMaskline } from "../support/maskline.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

// In these tests an attacker has a dump of the whole database and the environment of a worker, but not
// the vault's private key.

const postgres = await sharedPostgres();

const event = {
  user_id: "somebody",
  device_type: "android",
  ip: "198.51.100.73",
  device_id: "b6f1c3de-77aa-4c1b-9a55-0f9e8d7c6b5a",
  locale: "DE",
  app_version: "1.2.3",
};
const rejectedBody = `{"user_id": "rejected-7391", "ip": "198.51.100.99"`;
const SECRETS = [event.ip, event.device_id, "rejected-7391", "198.51.100.99"];

/** Creates a line that has stored one event and rejected one message. */
async function usedLine(queues: Parameters<typeof createLine>[0]["queues"]): Promise<Line> {
  const line = await createLine({ postgres, queues });
  await line.queue.send([JSON.stringify(event), rejectedBody]);
  const { books } = await line.drain();
  deepStrictEqual([books.committed, books.rejected], [1, 1]);
  return line;
}

/** Reads all sealed values, with the field and the mask to which each is bound. */
async function sealedIn({ database }: Line) {
  const rows = await database.query<
    { field: string; mask: string; sealed: string; key_id: string }
  >(
    `SELECT field, mask, encode(sealed, 'hex') AS sealed, key_id FROM maskline.vault
      UNION ALL SELECT 'rejected', message_id, encode(sealed, 'hex'), key_id FROM maskline.rejected`,
  );
  strictEqual(rows.length, 3);
  return rows.map((row) => ({ ...row, sealed: Uint8Array.fromHex(row.sealed) }));
}

/** Lists the forms in which a dump could contain a text. */
function formsOf(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  // The base64 of a part depends on its offset. There are three variants, whose middle is always the same.
  const shifted = [0, 1, 2].map((by) =>
    new Uint8Array([...new Uint8Array(by), ...bytes]).toBase64().slice(4, -4)
  );
  return [text, bytes.toHex(), text.split("").reverse().join(""), ...shifted];
}

Deno.test("drain leaves no original in a dump of the database, in any form, when it stores and rejects messages", async () => {
  await using queues = await startQueueServer();
  await using line = await usedLine(queues);
  const dump = await dumpText(line.database);
  for (const secret of SECRETS) {
    for (const form of formsOf(secret)) ok(!dump.includes(form), `${form} is in the dump`);
    for (const algorithm of ["md5", "sha1", "sha256", "sha512"]) {
      const digest = createHash(algorithm).update(secret).digest();
      for (const encoding of ["hex", "base64", "base64url"] as const) {
        ok(!dump.includes(digest.toString(encoding).replace(/=+$/, "")), `${algorithm} of a value`);
      }
    }
  }
});

Deno.test("open() refuses sealed values when its key is from a dump or a worker's environment", async () => {
  await using queues = await startQueueServer();
  await using line = await usedLine(queues);
  const sealed = await sealedIn(line);
  const text = `${await dumpText(line.database)}\n${Object.values(line.env).join("\n")}`;
  for (const key of candidatesIn(text)) {
    for (const { field, mask, sealed: bytes, key_id } of sealed) {
      const chain = createKeyChain([{ id: key_id, bytes: key }]);
      await rejects(chain.open(bytes, key_id, { field, mask }), OpenError);
    }
  }
  // The real key opens them, so the attempts above did not fail for another reason.
  const chain = createKeyChain([line.vaultPrivateKey]);
  const opened = await Promise.all(
    sealed.map(({ field, mask, sealed, key_id }) => chain.open(sealed, key_id, { field, mask })),
  );
  deepStrictEqual(opened.toSorted(), [event.ip, event.device_id, rejectedBody].toSorted());
});

/** Lists everything that has the length of a key, unchanged and with Maskline's key derivations. */
function candidatesIn(text: string): Uint8Array<ArrayBuffer>[] {
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  const add = (bytes: Uint8Array) => void found.set(bytes.toHex(), Uint8Array.from(bytes));
  for (const [encoded] of text.matchAll(/[A-Za-z0-9+/_-]{43}=?/g)) {
    const alphabet = /[-_]/.test(encoded) ? "base64url" : "base64";
    try {
      add(Uint8Array.fromBase64(encoded.slice(0, 43), { alphabet }).subarray(0, 32));
    } catch {
      // It is not base64.
    }
  }
  for (const [digits] of text.matchAll(/[0-9a-f]{64,}/g)) {
    // Sealed values too: every sequence of 32 bytes in them.
    for (let at = 0; at + 64 <= digits.length; at += 2) {
      add(Uint8Array.fromHex(digits.slice(at, at + 64)));
    }
  }
  const plain = [...found.values()];
  for (const bytes of plain.slice(0, 50)) {
    add(createHash("sha256").update(bytes).digest());
    for (
      const info of ["maskline/mask/v1/ip", "maskline/mask/v1/rejected", "maskline/vault/v1/v1"]
    ) {
      add(new Uint8Array(hkdfSync("sha256", bytes, "", info, 32)));
    }
  }
  ok(found.size > 100, `${found.size}`);
  return [...found.values()];
}

const FIELD_MASKS = "SELECT field, mask FROM maskline.vault ORDER BY field";

/** Lists the commands that open or list values, for this line's entries. */
async function openingCommands(line: Line): Promise<string[][]> {
  const masks = await line.database.query<{ field: string; mask: string }>(FIELD_MASKS);
  const [row] = await line.database.query<{ id: string }>(
    "SELECT message_id AS id FROM maskline.rejected",
  );
  const id = row?.id ?? "";
  const why = ["--reason", "theft"];
  return [
    ...masks.map(({ field, mask }) => ["reveal", field, mask, ...why]),
    ...masks.map(({ field, mask }) => ["reveal", field, mask, "--json", ...why]),
    ["rejected", "show", id, ...why],
    ["rejected", "show", id, "--raw", ...why],
    ["rejected", "replay", id, ...why],
    ["rotate", "run", "--vault", ...why],
    ["rotate", "run", ...why],
    ["rotate", "status"],
    ["rejected", "list", "--json"],
    ["audit", "list"],
  ];
}

Deno.test("the commands that open values print none when they have a worker's or the owner's environment", async () => {
  await using queues = await startQueueServer();
  await using line = await usedLine(queues);
  const stranger = await generateVaultKeys();
  const wrong = `v1:${stranger.privateKey.toBase64()}`;
  const { VAULT_PUBLIC_KEY: publicKey = "", MASK_KEY: maskKey = "" } = line.env;
  const environments: Record<string, string>[] = [
    line.env,
    { ...line.ownerEnv },
    // What an attacker would try as the private key: a random key, the public half, the mask key.
    { ...line.ownerEnv, VAULT_PRIVATE_KEY: wrong },
    { ...line.ownerEnv, VAULT_PRIVATE_KEY: publicKey },
    { ...line.ownerEnv, VAULT_PRIVATE_KEY: maskKey.replace("k1:", "v1:") },
  ];
  for (const env of environments) {
    for (const args of await openingCommands(line)) {
      const io = fakeIo({ settings: env });
      await main(args, io);
      const { out, err } = io.written;
      for (const secret of SECRETS) ok(!(out + err).includes(secret), `${args.join(" ")}\n${err}`);
    }
  }
  // The entries are still intact.
  const [first] = await openingCommands(line);
  const { out, code } = await runMaskline(first ?? [], { env: line.as("custodian") });
  deepStrictEqual([code, out], [0, `${event.device_id}\n`]);
});

Deno.test("run and drain refuse to start when they have the vault's private key", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  const env = line.as("custodian");
  for (const command of [["run"], ["drain"]]) {
    const { code, err } = await runMaskline(command, { env });
    strictEqual(code, 2);
    ok(err.includes("VAULT_PRIVATE_KEY: is set, and a worker must not have it"), err);
  }
});

// The limit of masks, which SECURITY.md states first: with the stolen mask key an attacker can try a small
// number of values. All IPv4 addresses take about an hour on one core (`deno task bench:guess` measures
// it). Here the attacker knows the network of 256 addresses.
Deno.test("mask() finds an address when an attacker has the mask key and knows the network, but not without the pepper", async () => {
  await using queues = await startQueueServer();
  await using line = await usedLine(queues);
  const [id = "", key = ""] = (line.env["MASK_KEY"] ?? "").split(":");
  const stolen = { id, bytes: Uint8Array.fromBase64(key) };
  const masker = await createMasker({ ring: [stolen], fields: ["ip"] });
  const [row] = await line.database.query<{ masked_ip: string }>(
    "SELECT masked_ip FROM user_logins",
  );
  const found: string[] = [];
  for (let last = 0; last < 256; last++) {
    const guess = `198.51.100.${last}`;
    if (await masker.mask("ip", guess) === row?.masked_ip) found.push(guess);
  }
  deepStrictEqual(found, [event.ip]);
  // With a pepper that the attacker does not have, the same key finds nothing.
  const pepper = crypto.getRandomValues(new Uint8Array(32));
  const peppered = await createMasker({ ring: [stolen], fields: ["ip"], pepper });
  ok(await peppered.mask("ip", event.ip) !== row?.masked_ip);
});
