import { match, ok, strictEqual } from "node:assert";
import { createLine, expectDone, type Line } from "../support/line.ts";
import { type Ended, runMaskline } from "../support/maskline.ts";
import { until } from "../support/progress.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { dumpText } from "../support/dump.ts";

const postgres = await sharedPostgres();

/** Marks every value that must not leak. No path may let it through. */
const CANARY = "canary7391";

/** A valid event. The fields that the contract stores unmasked have no canary in them. */
const good = {
  user_id: "user",
  device_type: "android",
  ip: "203.0.113.73",
  device_id: `${CANARY}-device`,
  locale: "DE",
  app_version: "1.2.3",
};

/** Marked bodies that are rejected, one for each kind of fault. */
const bad: readonly string[] = [
  `${CANARY} not JSON`,
  `{"user_id": "${CANARY}", broken`,
  JSON.stringify([CANARY]),
  JSON.stringify(CANARY),
  JSON.stringify({ [CANARY]: CANARY }),
  JSON.stringify({ ...good, user_id: `${CANARY}\0` }),
  JSON.stringify({ ...good, user_id: CANARY.repeat(40) }),
  JSON.stringify({ ...good, user_id: { [CANARY]: 1 } }),
  JSON.stringify({ ...good, ip: `${CANARY}.1.1` }),
  JSON.stringify({ ...good, device_id: CANARY.repeat(40) }),
  JSON.stringify({ ...good, device_id: "" }),
  JSON.stringify({ ...good, app_version: CANARY }),
  JSON.stringify({ ...good, app_version: `9999.1.1+${CANARY}` }),
  JSON.stringify({ ...good, locale: CANARY.repeat(9) }),
  `{"user_id": "\\ud800${CANARY}"}`,
];

const ORIGINALS = [CANARY, good.ip];

function expectSilent(what: string, text: string): void {
  for (const original of ORIGINALS) ok(!text.includes(original), `${what} leaks:\n${text}`);
}

function expectSilentProcess({ out, err }: Ended): void {
  expectSilent("standard output", out);
  expectSilent("standard error", err);
}

async function expectSilentDatabase(line: Line): Promise<void> {
  expectSilent("the database", await dumpText(line.database));
  // Sealed bytes are dumped as hex. A body that is stored unsealed would be visible there.
  const hex = new TextEncoder().encode(CANARY).toHex();
  ok(!(await dumpText(line.database)).includes(hex));
}

Deno.test("drain leaks no value when it receives valid events and every kind of bad message", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  const extra = { ...good, unknown: CANARY, [`${CANARY}key`]: 1 };
  await line.queue.send([JSON.stringify(good), JSON.stringify(extra), ...bad]);
  const ended = await line.drain({ LOG_LEVEL: "debug" });
  strictEqual(ended.books.committed, 2);
  strictEqual(ended.books.rejected, bad.length);
  expectSilentProcess(ended);
  await expectSilentDatabase(line);
  for (const args of [["rejected", "list"], ["rejected", "list", "--json"]]) {
    expectSilentProcess(await expectDone(runMaskline(args, { env: line.as("reader") })));
  }
  expectSilentProcess(await expectDone(runMaskline(["check", "--books"], { env: line.env })));
});

Deno.test("drain leaks no value when Postgres refuses rows and quotes them in its errors", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  // Each of these makes Postgres quote the row: a check in DETAIL, a trigger in its message.
  await line.database.query("ALTER TABLE user_logins ADD CHECK (device_type <> 'refused')");
  await line.database.query(
    `CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.device_type = 'shouted' THEN RAISE EXCEPTION 'bad row %', NEW; END IF; RETURN NEW; END $$`,
  );
  await line.database.query(
    "CREATE TRIGGER shout BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION shout()",
  );
  const marked = { ...good, user_id: `${CANARY}-user` };
  await line.queue.send([
    JSON.stringify({ ...marked, device_type: "refused" }),
    JSON.stringify({ ...marked, device_type: "shouted" }),
    JSON.stringify(good),
  ]);
  const ended = await line.drain({ LOG_LEVEL: "debug" });
  strictEqual(ended.books.rejected, 2, ended.err);
  strictEqual(ended.books.committed, 1);
  expectSilentProcess(ended);
  await expectSilentDatabase(line);
});

Deno.test("run leaks no value when Postgres ends its session during a commit", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  await line.database.query(
    `CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM pg_sleep(30); RETURN NEW; END $$`,
  );
  await line.database.query(
    "CREATE TRIGGER hang BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION hang()",
  );
  await line.queue.send([JSON.stringify({ ...good, user_id: `${CANARY}-user` }), ...bad]);
  const worker = line.start({ LOG_LEVEL: "debug", STOP_SECONDS: "3" });
  const sleeping =
    "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
  await until(() => line.database.query(sleeping), (rows) => rows.length > 0);
  await line.database.query(`SELECT pg_terminate_backend(pid) FROM (${sleeping}) AS s`);
  await worker.untilErr(/The store is unavailable/);
  worker.kill("SIGTERM");
  const ended = await worker.ended;
  match(ended.err, /57P01|connection_lost/);
  expectSilentProcess(ended);
  await expectSilentDatabase(line);
});

Deno.test("explain and mask leak no value when their input is bad", async () => {
  const env = { MASK_KEY: `k1:${crypto.getRandomValues(new Uint8Array(32)).toBase64()}` };
  for (const input of [...bad, JSON.stringify(good)]) {
    expectSilentProcess(await runMaskline(["explain"], { env, input }));
  }
  expectSilentProcess(await runMaskline(["mask", "ip"], { env, input: CANARY }));
  // A personal value in place of a flag or another argument.
  for (const args of [["mask", CANARY], ["mask", "ip", CANARY], [CANARY], ["run", `--${CANARY}`]]) {
    expectSilentProcess(await runMaskline(args, { env, input: "" }));
  }
});

Deno.test("a custodian's commands leak no value except the requested one when keys and arguments are wrong", async () => {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  const marked = { ...good, user_id: `${CANARY}-user` };
  await line.queue.send([JSON.stringify(marked), JSON.stringify(good), ...bad]);
  strictEqual((await line.drain()).books.committed, 2);
  const [entry] = await line.database.query<{ mask: string }>(
    "SELECT mask FROM maskline.vault WHERE field = 'device_id'",
  );
  const ids = (await line.database.query<{ id: string }>(
    "SELECT message_id AS id FROM maskline.rejected",
  )).map(({ id }) => id);
  const custodian = line.as("custodian");
  const stranger = `v1:${crypto.getRandomValues(new Uint8Array(32)).toBase64()}`;
  const why = ["--reason", "canary"];
  const mask = entry?.mask ?? "";
  const [first = "", second = ""] = ids;

  // The requested value is on standard output and nowhere else.
  const revealed = await runMaskline(["reveal", "device_id", mask, ...why], { env: custodian });
  strictEqual(revealed.out, `${good.device_id}\n`);
  expectSilent("standard error", revealed.err);
  const shown = await runMaskline(["rejected", "show", first, ...why], { env: custodian });
  strictEqual(shown.code, 0);
  expectSilent("standard error", shown.err);

  // Wrong keys, and values in place of other arguments.
  const runs: [args: string[], env: Record<string, string>, input?: string][] = [
    [["reveal", "device_id", mask, ...why], { ...custodian, VAULT_PRIVATE_KEY: stranger }],
    [["reveal", "device_id", CANARY, ...why], custodian],
    [["reveal", CANARY, mask, ...why], custodian],
    [["reveal", "ip", "--stdin", ...why], custodian, `${mask}\n${CANARY}\n`],
    [["rejected", "show", first, ...why], { ...custodian, VAULT_PRIVATE_KEY: stranger }],
    [["rejected", "show", CANARY, ...why], custodian],
    [["rejected", "replay", ...ids, ...why], custodian],
    [["rejected", "replay", ...ids, ...why], { ...custodian, VAULT_PRIVATE_KEY: stranger }],
    [["rejected", "discard", second, ...why], custodian],
    [["mask", "ip", ...why], custodian, CANARY],
    [["mask", "device_id", ...why], custodian, CANARY],
    [["rotate", "status"], custodian],
    [["rotate", "run", "--vault", ...why], custodian],
    [["rotate", "run", ...why], {
      ...custodian,
      MASK_KEY: `k2:${stranger.slice(3)},${line.env["MASK_KEY"]}`,
    }],
    [["forget", "--user", "-", ...why, "--dry-run"], custodian, `${CANARY}-nobody`],
    [["forget", "--user", CANARY, ...why], custodian],
    [["forget", "--user", "-", "--rows", "delete", ...why], custodian, `${CANARY}-user`],
    [["forget", "--field", CANARY, "--mask", CANARY, ...why], custodian],
    [["audit", "list"], custodian],
    [["audit", "verify"], custodian],
    [["audit", "verify", "--head", CANARY], custodian],
  ];
  for (const [args, env, input = ""] of runs) {
    expectSilentProcess(await runMaskline(args, { env, input }));
  }
  await expectSilentDatabase(line);
});
