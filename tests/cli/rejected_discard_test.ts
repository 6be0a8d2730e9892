import { login } from "../../lib/contract/login.ts";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { checkCounters } from "../../lib/custody/books.ts";
import { createRejectedMessages, loginBody } from "../support/rejected_messages.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { createStore } from "../support/test_store.ts";

const postgres = await sharedPostgres();

const CANARY = "canary7391";
const WHY = ["--reason", "a load test"];
const AUDIT =
  "SELECT action, field, mask, reason, ticket FROM maskline.reveal_audit ORDER BY number";
const STATE = `SELECT message_id, status, length(sealed) > 0 AS sealed
  FROM maskline.rejected ORDER BY message_id`;

Deno.test("rejected discard erases the bodies and records each in the audit log when ids are given", async () => {
  await using aside = await createRejectedMessages(postgres);
  for (const id of ["m-1", "m-2", "m-3"]) await aside.reject(id, `${CANARY} not JSON`);
  const { code, out, err } = await aside.run(
    ["discard", "m-1", "m-3", "m-1", ...WHY, "--ticket", "OPS-2"],
  );
  deepStrictEqual([code, out, err], [0, "2 discarded\n", ""]);
  deepStrictEqual(await aside.store.inside.query(STATE), [
    { message_id: "m-1", status: "discarded", sealed: false },
    { message_id: "m-2", status: "open", sealed: true },
    { message_id: "m-3", status: "discarded", sealed: false },
  ]);
  deepStrictEqual(
    await aside.store.inside.query(AUDIT),
    ["m-1", "m-3"].map((mask) => (
      { action: "discard", field: "rejected", mask, reason: "a load test", ticket: "OPS-2" }
    )),
  );
  deepStrictEqual(await checkCounters({ database: aside.store.database, contract: login }), [
    "the ledger has 0 committed and 3 rejected messages",
  ]);
});

Deno.test("rejected discard reports a message and discards the others when it is not open or does not exist", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", "{}");
  await aside.reject("m-2", "{}");
  await aside.run(["discard", "m-1", ...WHY]);
  const { code, out, err } = await aside.run(["discard", "m-1", CANARY, "m-2", ...WHY]);
  deepStrictEqual([code, out], [1, "1 discarded\n"]);
  strictEqual(
    err,
    "Message m-1 was discarded before\nMessage 2 of the command line was not rejected\n",
  );
  strictEqual((await aside.store.inside.query(AUDIT)).length, 2);
});

Deno.test("rejected discard escapes the id of a message when it has control characters", async () => {
  await using aside = await createRejectedMessages(postgres);
  const id = "m-\u001b[31m";
  await aside.reject(id, "{}");
  await aside.run(["discard", id, ...WHY]);
  const { err } = await aside.run(["discard", id, ...WHY]);
  strictEqual(err, "Message m-\\u{1b}[31m was discarded before\n");
});

Deno.test("rejected discard changes nothing when the audit log cannot be written", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody({ ip: CANARY }));
  await aside.store.inside.query("DROP FUNCTION maskline.note_audit");
  const { code, out, err } = await aside.run(["discard", "m-1", ...WHY]);
  deepStrictEqual([code, out], [1, "0 discarded\n"]);
  match(err, /42883/);
  ok(!err.includes(CANARY));
  deepStrictEqual(await aside.store.inside.query(STATE), [
    { message_id: "m-1", status: "open", sealed: true },
  ]);
});

Deno.test("rejected discard records before it changes the row when the vault has its own database", async () => {
  await using aside = await createRejectedMessages(postgres);
  await using vault = await createStore(postgres);
  await aside.reject("m-1", "{}");
  const settings = { VAULT_DATABASE_URL: vault.inside.url };
  await vault.inside.query("ALTER FUNCTION maskline.note_audit RENAME TO gone");
  const failed = await aside.run(["discard", "m-1", ...WHY], aside.io(settings));
  deepStrictEqual([failed.code, failed.out], [1, "0 discarded\n"]);
  await vault.inside.query("ALTER FUNCTION maskline.gone RENAME TO note_audit");
  const { code } = await aside.run(["discard", "m-1", ...WHY], aside.io(settings));
  strictEqual(code, 0);
  strictEqual((await vault.inside.query(AUDIT)).length, 1);
  deepStrictEqual(await aside.store.inside.query(AUDIT), []);
});

Deno.test("rejected discard works when no key is set", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", "{}");
  const none = { MASK_KEY: "", VAULT_PUBLIC_KEY: "", VAULT_PRIVATE_KEY: "" };
  strictEqual((await aside.run(["discard", "m-1", ...WHY], aside.io(none))).code, 0);
});
