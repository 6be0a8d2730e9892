import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import { fakeIo } from "../support/fake_io.ts";
import { createRejectedMessages, loginBody } from "../support/rejected_messages.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { batchOf, createStore, rejectedRow } from "../support/test_store.ts";

const postgres = await sharedPostgres();

const CANARY = "canary7391";
const WHY = ["--reason", "which field?"];
const AUDIT = "SELECT action, field, mask, os_user, reason, ticket FROM maskline.reveal_audit";

Deno.test("rejected show prints the body and records it in the audit log when an id is given", async () => {
  await using aside = await createRejectedMessages(postgres);
  const body = loginBody({ ip: CANARY });
  await aside.reject("m-1", body, { sentAt: Date.UTC(2026, 1, 3, 4, 5, 6), receiveCount: 3 });
  const { code, out, err } = await aside.run(["show", "m-1", ...WHY, "--ticket", "OPS-1"]);
  deepStrictEqual([code, out], [0, `${body}\n`], err);
  match(err, /^message {3}m-1\nreason {4}not_an_ip_address \(ip\): The text is neither/);
  match(err, /^sent {6}2026-02-03T04:05:06Z\nrejected {2}20.*Z, receive count 3\n$/m);
  ok(!err.includes(CANARY));
  deepStrictEqual(await aside.store.inside.query(AUDIT), [{
    action: "show",
    field: "rejected",
    mask: "m-1",
    os_user: "tester",
    reason: "which field?",
    ticket: "OPS-1",
  }]);
});

Deno.test("rejected show escapes control characters, and prints the exact text when --raw is given", async () => {
  await using aside = await createRejectedMessages(postgres);
  const body = "\u{feff}\x1b[31m not JSON\r\n\0 \u202e C:\\x 📱";
  await aside.reject("m-1", body);
  const shown = await aside.run(["show", "m-1", ...WHY]);
  strictEqual(
    shown.out,
    "\\u{feff}\\u{1b}[31m not JSON\\u{d}\\u{a}\\u{0} \\u{202e} C:\\\\x 📱\n",
  );
  strictEqual((await aside.run(["show", "m-1", ...WHY, "--raw"])).out, body);
});

Deno.test("rejected show names the SQLSTATE when Postgres had refused the row", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody());
  const { err } = await aside.run(["show", "m-1", ...WHY]);
  match(err, /^reason {4}store_refused \(SQLSTATE 23514\): The store refused the row/m);
});

Deno.test("rejected show reports why there is no body when it was erased, sent to a queue or never stored", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody());
  await aside.run(["discard", "m-1", ...WHY]);
  await aside.store.store.commit(batchOf([], [rejectedRow("m-2", { sealed: null })]));
  const cases = [
    ["m-1", "The body was erased when the message was discarded\n"],
    ["m-2", "The message was rejected, and its body was sent to the queue for rejected messages\n"],
    [CANARY, "No message with that id was rejected\n"],
  ];
  for (const [id = "", err] of cases) {
    deepStrictEqual(await aside.run(["show", id, ...WHY]), { code: 1, out: "", err });
  }
  strictEqual(
    (await aside.store.inside.query(AUDIT)).length,
    1,
    "expected only the entry of the discard",
  );
});

Deno.test("rejected show prints and records nothing when the body does not open", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody({ ip: CANARY }));
  const { privateKey } = await generateVaultKeys();
  const other = aside.io({ VAULT_PRIVATE_KEY: `v1:${privateKey.toBase64()}` });
  const wrong = await aside.run(["show", "m-1", ...WHY], other);
  deepStrictEqual([wrong.code, wrong.out], [1, ""]);
  match(wrong.err, /^The vault key v1 does not open the sealed value/);
  const later = aside.io({ VAULT_PRIVATE_KEY: `v2:${privateKey.toBase64()}` });
  match((await aside.run(["show", "m-1", ...WHY], later)).err, /sealed to the vault key v1/);
  for (const change of ["message_id = 'm-2'", "sealed = set_byte(sealed, 100, 7)"]) {
    await aside.store.inside.query(`UPDATE maskline.rejected SET ${change}`);
    const { code, out, err } = await aside.run(["show", "m-2", ...WHY]);
    deepStrictEqual([code, out], [1, ""]);
    match(err, /^The sealed value was changed, or is next to another field or mask/);
  }
  deepStrictEqual(await aside.store.inside.query(AUDIT), []);
});

Deno.test("rejected show prints nothing when the audit log cannot be written", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody({ ip: CANARY }));
  await aside.store.inside.query("DROP FUNCTION maskline.note_audit");
  const { code, out, err } = await aside.run(["show", "m-1", ...WHY]);
  deepStrictEqual([code, out], [1, ""]);
  match(err, /^Nothing is shown, because it could not be recorded in the audit log: .*42883/);
  ok(!err.includes(CANARY));
});

Deno.test("rejected show records it in the vault's database when the vault has its own", async () => {
  await using aside = await createRejectedMessages(postgres);
  await using vault = await createStore(postgres);
  await aside.reject("m-1", loginBody());
  const io = aside.io({ VAULT_DATABASE_URL: vault.inside.url });
  const { code, out } = await aside.run(["show", "m-1", ...WHY], io);
  deepStrictEqual([code, out], [0, `${loginBody()}\n`]);
  strictEqual((await vault.inside.query(AUDIT)).length, 1);
  deepStrictEqual(await aside.store.inside.query(AUDIT), []);
});

Deno.test("rejected show requires VAULT_PRIVATE_KEY when it is not set", async () => {
  await using aside = await createRejectedMessages(postgres);
  const { code, err } = await aside.run(
    ["show", "m-1", ...WHY],
    aside.io({ VAULT_PRIVATE_KEY: "" }),
  );
  strictEqual(code, 2);
  match(err, /^1 wrong setting:\n {2}VAULT_PRIVATE_KEY: is not set\./);
});

const USAGE = /^Expected: maskline rejected show ID --reason TEXT \[--ticket ID\] \[--raw\]\n$/;
const wrong: [args: string[], err: RegExp][] = [
  [["show", ...WHY], USAGE],
  [["show", CANARY, CANARY, ...WHY], USAGE],
  [["show", CANARY, ...WHY, "--dry-run"], USAGE],
  [["show", CANARY], /^--reason: expected 1 to 1000 characters/],
  [["show", CANARY, "--reason", " "], /^--reason: expected 1 to 1000 characters/],
  [["show", CANARY, "--reason", "a\x1b[2J"], /^--reason: expected 1 to 1000 characters/],
  [["show", CANARY, "--reason", CANARY.repeat(101)], /^--reason: expected 1 to 1000 characters/],
  [["show", CANARY, ...WHY, "--ticket", CANARY.repeat(11)], /^--ticket: expected 1 to 100/],
  [[CANARY, ...WHY], /^Expected: maskline rejected list\|show\|replay\|discard …\n$/],
  [["__proto__"], /^Expected: maskline rejected list\|show\|replay\|discard …\n$/],
];
for (const [args, message] of wrong) {
  const line = args.map((arg) => JSON.stringify(arg.slice(0, 20))).join(" ");
  Deno.test(`rejected exits with 2 and repeats nothing when the arguments are ${line}`, async () => {
    const io = fakeIo();
    deepStrictEqual([await main(["rejected", ...args], io), io.written.out], [2, ""]);
    match(io.written.err, message);
    ok(!io.written.err.includes(CANARY));
  });
}
