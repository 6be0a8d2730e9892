import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { sampleEvents } from "../../lib/local/sample.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import { createLine, expectDone, type Line } from "../support/line.ts";
import { type Ended, runMaskline } from "../support/maskline.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();
const queues = await startQueueServer();
const WHY = ["--reason", "a test of roles"];

/** Creates a line that a writer has drained: 40 rows, a refused event and a message that is not an event. */
async function drained(): Promise<Line> {
  const line = await createLine({ postgres, queues });
  await line.database.query(
    "ALTER TABLE user_logins ADD CONSTRAINT c CHECK (device_type <> 'forbidden')",
  );
  const events = sampleEvents({ count: 40 });
  const refused = JSON.stringify({ ...JSON.parse(events[0] ?? "{}"), device_type: "forbidden" });
  await line.queue.send([...events, refused, "not JSON"]);
  const { books } = await line.drain();
  deepStrictEqual([books.committed, books.rejected], [40, 2]);
  await line.database.query("ALTER TABLE user_logins DROP CONSTRAINT c");
  return line;
}

/** Returns the value of a query for one column of one row. */
async function one(line: Line, sql: string): Promise<string> {
  const [row] = await line.database.query<Record<string, string>>(sql);
  const [value] = Object.values(row ?? {});
  ok(value, sql);
  return value;
}

const aMask = "SELECT masked_ip FROM user_logins ORDER BY user_id, masked_ip LIMIT 1";

/** Lists the commands of a custodian that change nothing but the audit log. */
async function readCommands(line: Line): Promise<Readonly<Record<string, string[]>>> {
  const id = await one(line, "SELECT message_id FROM maskline.rejected WHERE reason = 'not_json'");
  return {
    reveal: ["reveal", "ip", await one(line, aMask), ...WHY],
    show: ["rejected", "show", id, ...WHY],
    verify: ["audit", "verify"],
    status: ["rotate", "status"],
  };
}

function expectRefused(args: readonly string[], { code, out, err }: Ended): void {
  const text = `${args.join(" ")}: ${out}${err}`;
  strictEqual(code, 1, text);
  ok(out === "" || out === "0 discarded\n", text);
  match(err, /42501/, text);
}

Deno.test("reveal, rejected, rotate and forget succeed and keep the books correct when a custodian runs them", async () => {
  await using line = await drained();
  const env = line.as("custodian");
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}, input = "") =>
    expectDone(runMaskline(args, { env: { ...env, ...more }, input }));
  for (const args of Object.values(await readCommands(line))) await run(args);
  await run(["rejected", "replay", "--where-reason", "store_refused", ...WHY]);
  const id = await one(line, "SELECT message_id FROM maskline.rejected WHERE status = 'open'");
  await run(["rejected", "discard", id, ...WHY]);

  const key = `k2:${crypto.getRandomValues(new Uint8Array(32)).toBase64()}`;
  const masks = { MASK_KEY: `${key},${env["MASK_KEY"]}` };
  await run(["rotate", "run", ...WHY], masks);
  match(await one(line, aMask), /^k2\./);
  const vault = await generateVaultKeys();
  const keys = {
    VAULT_PUBLIC_KEY: `v2:${vault.publicKey.toBase64()}`,
    VAULT_PRIVATE_KEY: `v2:${vault.privateKey.toBase64()},${env["VAULT_PRIVATE_KEY"]}`,
  };
  await run(["rotate", "run", "--vault", ...WHY], keys);
  const user = await one(line, "SELECT user_id FROM user_logins ORDER BY user_id LIMIT 1");
  await run(["forget", "--user", "-", "--rows", "anonymise", ...WHY], {}, user);
  const other = await one(line, "SELECT user_id FROM user_logins ORDER BY user_id LIMIT 1");
  await run(["forget", "--user", "-", "--rows", "delete", ...WHY], {}, other);

  const { out } = await expectDone(runMaskline(["check", "--books"], { env: line.env }));
  match(out, /^ok {4}books$/m);
  match(out, /^warn {2}the ledger has 41 committed and 1 rejected messages$/m);
  await run(["audit", "verify"]);
});

Deno.test("rejected list succeeds and a custodian's commands fail when an analyst has the vault's key", async () => {
  await using line = await drained();
  const { out } = await expectDone(runMaskline(["rejected", "list"], { env: line.as("reader") }));
  strictEqual(out.trimEnd().split("\n").length, 2);
  const env = { ...line.as("custodian"), ...line.as("reader") };
  for (const args of Object.values(await readCommands(line))) {
    const ended = await runMaskline(args, { env });
    expectRefused(args, ended);
  }
});

Deno.test("a custodian's commands fail when they have a worker's password and the vault's key", async () => {
  await using line = await drained();
  const env = { ...line.as("custodian"), ...line.env };
  const commands = await readCommands(line);
  const id = commands["show"]?.[2] ?? "";
  for (
    const args of [
      ...Object.values(commands),
      ["rejected", "discard", id, ...WHY],
      ["forget", "--user", "-", ...WHY],
    ]
  ) {
    const ended = await runMaskline(args, { env, input: "user" });
    expectRefused(args, ended);
  }
  strictEqual(
    await one(line, "SELECT count(*)::text FROM maskline.rejected WHERE status = 'open'"),
    "2",
  );
});
