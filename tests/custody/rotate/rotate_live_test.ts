import { deepStrictEqual, match, strictEqual } from "node:assert";
import { createTestKeys, textOf } from "../../support/kept_originals.ts";
import { createLine, expectDone } from "../../support/line.ts";
import { runMaskline } from "../../support/maskline.ts";
import { untilCount } from "../../support/progress.ts";
import { startQueueServer } from "../../support/queue_server.ts";
import {
  byUser,
  groupsOf,
  insertShared,
  masksByKey,
  openedLogins,
  RUN,
  sharedLogins,
  stepsIn,
} from "../../support/rotating.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";

const postgres = await sharedPostgres();
const queues = await startQueueServer();

const ROWS = 50_000;
const MESSAGES = 4_000;

/** Uses the Postgres roles of a worker and of a custodian, both as `migrate --print-grants` prints them. */
Deno.test("rotate run rotates 50,000 rows when a worker stores the same values at the same time", async () => {
  await using line = await createLine({ postgres, queues });
  const { database, maskKey, vaultPrivateKey: privateKey } = line;
  const [, publicKey = ""] = line.env["VAULT_PUBLIC_KEY"]?.split(":") ?? [];
  const old = {
    maskKey: { id: "k1", bytes: Uint8Array.from(maskKey) },
    publicKey: { id: "v1", bytes: Uint8Array.fromBase64(publicKey) },
    privateKey,
  };
  const next = await createTestKeys("k2");
  const logins = sharedLogins(ROWS);
  await insertShared(database, old, logins);
  const before = await groupsOf(database);

  // Every login is resent under another id, so each value has masks of both keys for a while.
  const late = logins.slice(0, MESSAGES).map((login, index) => ({
    ...login,
    user: `zq-late-${index}`,
  }));
  const bodies = late.map(({ user, ip, device }) =>
    JSON.stringify({
      user_id: user,
      device_type: "android",
      ip,
      device_id: device,
      locale: null,
      app_version: "1.0.0",
    })
  );
  const MASK_KEY = `${textOf(next.maskKey)},k1:${maskKey.toBase64()}`;
  const worker = line.start({ MASK_KEY });
  await line.queue.send(bodies.slice(0, MESSAGES / 4));
  await untilCount(line, ({ rows }) => rows > ROWS);
  const rotating = expectDone(
    runMaskline(RUN, { env: { ...line.as("custodian"), MASK_KEY } }),
  );
  await line.queue.send(bodies.slice(MESSAGES / 4));
  const { out, err } = await rotating;
  await untilCount(line, ({ rows }) => rows === ROWS + MESSAGES);
  worker.kill("SIGTERM");
  strictEqual((await worker.ended).code, 0);

  match(out, /^mask k1 → k2: 1[0-9],[0-9]{3} entries, 50,000 rows, .*, 0 skipped\n$/);
  deepStrictEqual(
    await openedLogins(database, [{ privateKey }]),
    [...logins, ...late].toSorted(byUser),
  );
  // Each value has one mask, in the earlier rows and in those that were stored meanwhile.
  const values = new Set(logins.flatMap(({ ip, device }) => [ip, device])).size;
  deepStrictEqual(await masksByKey(database), {
    rows: { k2: 2 * (ROWS + MESSAGES) },
    vault: { k2: values },
  });
  strictEqual(await stepsIn(database), 0);
  await database.query("DELETE FROM user_logins WHERE user_id LIKE 'zq-late-%'");
  deepStrictEqual(await groupsOf(database), before);
  deepStrictEqual(/zq-|198\.18/.exec(`${out}${err}${worker.err()}`), null);
});

Deno.test("rotate run fails before it removes anything when a worker still computes masks of the old key", async () => {
  await using line = await createLine({ postgres, queues });
  const { database, maskKey, vaultPrivateKey: privateKey } = line;
  const [, publicKey = ""] = line.env["VAULT_PUBLIC_KEY"]?.split(":") ?? [];
  const logins = sharedLogins(100);
  const old = {
    maskKey: { id: "k1", bytes: Uint8Array.from(maskKey) },
    publicKey: { id: "v1", bytes: Uint8Array.fromBase64(publicKey) },
  };
  await insertShared(database, old, logins);
  // Acts as that worker: stores an old mask again after every walk that changed rows.
  await database.query(
    `CREATE FUNCTION store_old() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      IF EXISTS (SELECT FROM changed) THEN
        INSERT INTO public.user_logins (user_id, masked_ip)
        SELECT 'zq-late', old_mask FROM maskline.rotation WHERE field = 'ip' LIMIT 1;
      END IF;
      RETURN NULL;
    END $$`,
  );
  await database.query(
    `CREATE TRIGGER store_old AFTER UPDATE ON user_logins REFERENCING NEW TABLE AS changed
      FOR EACH STATEMENT EXECUTE FUNCTION store_old()`,
  );
  const next = await createTestKeys("k2");
  const env = {
    ...line.as("custodian"),
    MASK_KEY: `${textOf(next.maskKey)},k1:${maskKey.toBase64()}`,
  };
  const { vault: { k1: entries } } = await masksByKey(database);
  const { code, err } = await runMaskline(RUN, { env });
  strictEqual(code, 1);
  match(
    err,
    /Workers still store rows with masks of an old key: restart every worker .* Nothing was removed\n$/,
  );
  const { vault } = await masksByKey(database);
  deepStrictEqual(vault, { k1: entries, k2: entries });
  await database.query("DROP TRIGGER store_old ON user_logins");
  await expectDone(runMaskline(RUN, { env }));
  await database.query("DELETE FROM user_logins WHERE user_id = 'zq-late'");
  deepStrictEqual(await openedLogins(database, [{ privateKey }]), logins.toSorted(byUser));
});
