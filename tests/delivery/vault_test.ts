import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { createLine, expectDone, type Line } from "../support/line.ts";
import { runMaskline } from "../support/maskline.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import type { TestDatabase } from "../support/test_database.ts";

const postgres = await sharedPostgres();

function login(user: string, ip: string, device: string): string {
  return JSON.stringify({
    user_id: user,
    device_type: "ios",
    ip,
    device_id: device,
    locale: null,
    app_version: "1.2.3",
  });
}

/** Ten logins of five people behind one address, each with a device, written in several ways. */
const office = Array.from({ length: 10 }, (_, index) => {
  const person = index % 5;
  return login(
    `user-${person}`,
    index < 5 ? "203.0.113.7" : "::ffff:203.0.113.7",
    ` device-${person} `,
  );
});

async function vaultIn(database: TestDatabase): Promise<Record<string, number>> {
  const rows = await database.query<{ field: string; count: number }>(
    "SELECT field, count(*)::integer AS count FROM maskline.vault GROUP BY field",
  );
  return Object.fromEntries(rows.map(({ field, count }) => [field, count]));
}

/** Returns the originals that a custodian sees for all masks of a field. */
async function revealed(
  line: Line,
  field: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const rows = await line.database.query<{ mask: string }>(
    `SELECT DISTINCT ${field === "ip" ? "masked_ip" : "masked_device_id"} AS mask FROM user_logins`,
  );
  const { out } = await expectDone(runMaskline(
    ["reveal", field, "--stdin", "--reason", "test"],
    {
      env: { ...line.as("custodian"), ...env },
      input: rows.map(({ mask }) => `${mask}\n`).join(""),
    },
  ));
  return out.trimEnd().split("\n").map((text) => text.split("\t")[1] ?? "").sort();
}

Deno.test("drain stores each original once when it arrives repeatedly and in several notations", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  await line.queue.send(office);
  strictEqual((await line.drain()).books.committed, 10);
  await line.queue.send(office);
  strictEqual((await line.drain()).books.committed, 10);
  deepStrictEqual(await vaultIn(line.database), { ip: 1, device_id: 5 });
  deepStrictEqual(await revealed(line, "ip"), ["203.0.113.7"]);
  deepStrictEqual(
    await revealed(line, "device_id"),
    [0, 1, 2, 3, 4].map((person) => `device-${person}`),
  );
});

Deno.test("drain stores originals in the vault's own database when there is one", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  await using vault = await postgres.createDatabase("vault");
  const apart = { VAULT_DATABASE_URL: vault.url };
  await expectDone(runMaskline(["migrate"], { env: { ...line.ownerEnv, ...apart } }));
  await line.queue.send(office);
  strictEqual((await line.drain(apart)).books.committed, 10);
  deepStrictEqual(await vaultIn(line.database), {});
  deepStrictEqual(await vaultIn(vault), { ip: 1, device_id: 5 });
  deepStrictEqual(await revealed(line, "ip", apart), ["203.0.113.7"]);
  const entries = "SELECT count(*)::integer AS count FROM maskline.reveal_audit";
  deepStrictEqual(await vault.query(entries), [{ count: 1 }]);
  // Without its URL a command fails before it seals or searches anything in the wrong database.
  const commands = [
    [["drain"], line.env],
    [["reveal", "ip", `k1.${"x".repeat(43)}`, "--reason", "test"], line.as("custodian")],
    [["forget", "--user", "-", "--rows", "delete", "--reason", "test"], line.as("custodian")],
  ] as const;
  for (const [args, env] of commands) {
    const { code, err } = await runMaskline(args, { env, input: "user-1" });
    strictEqual(code, 1);
    match(err, /The vault of these rows is in a database of its own; set VAULT_DATABASE_URL/);
  }
});

Deno.test("drain seals nothing when the vault is off", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  const deadLetters = await queues.createQueue();
  await line.queue.send(office);
  const off = { VAULT: "off", REJECTED_TO: "queue", SQS_DLQ_URL: deadLetters.url };
  strictEqual((await line.drain(off)).books.committed, 10);
  deepStrictEqual(await vaultIn(line.database), {});
});

Deno.test("drain computes other masks, which reveal can open, when there is a pepper", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  const pepper = `p1:${crypto.getRandomValues(new Uint8Array(32)).toBase64()}`;
  const masksOf = async (env: Readonly<Record<string, string>>) => {
    await line.queue.send(office);
    await line.drain(env);
    const rows = await line.database.query<{ mask: string }>(
      "SELECT DISTINCT masked_ip AS mask FROM user_logins",
    );
    return rows.length;
  };
  strictEqual(await masksOf({}), 1);
  strictEqual(await masksOf({ MASK_PEPPER: pepper }), 2);
  const [newest] = await line.database.query<{ mask: string }>(
    "SELECT masked_ip AS mask FROM user_logins GROUP BY ctid, masked_ip ORDER BY ctid DESC LIMIT 1",
  );
  const reveal = ["reveal", "ip", newest?.mask ?? "", "--reason", "test"];
  const env = line.as("custodian");
  const { out } = await runMaskline(reveal, { env: { ...env, MASK_PEPPER: pepper } });
  strictEqual(out, "203.0.113.7\n");
  // With the key and without the pepper the mask does not match its original, which reveal reports.
  const without = await runMaskline(reveal, { env });
  deepStrictEqual([without.code, without.out], [1, ""]);
  match(without.err, /is not shown/);
  ok(!without.err.includes("203.0.113.7"));
});
