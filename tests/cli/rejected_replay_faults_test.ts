import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import { dumpText } from "../support/dump.ts";
import { fakeIo } from "../support/fake_io.ts";
import {
  createRejectedMessages,
  loginBody,
  OPEN,
  REPLAYED,
  stateOf,
  usersOf,
} from "../support/rejected_messages.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();

const CANARY = "canary7391";
const WHY = ["--reason", "the check was wrong"];

Deno.test("rejected replay reports a message and replays the others when it is not open or does not exist", async () => {
  await using aside = await createRejectedMessages(postgres);
  for (const id of ["m-1", "m-2", "m-3"]) await aside.reject(id, loginBody({ user_id: id }));
  await aside.run(["replay", "m-1", ...WHY]);
  await aside.run(["discard", "m-2", ...WHY]);
  const ids = ["m-1", "m-2", CANARY, "m-3", "m-3"];
  const { code, out, err } = await aside.run(["replay", ...ids, ...WHY]);
  strictEqual(code, 1);
  strictEqual(
    out,
    "1 replayed, 0 still rejected, 0 refused, 0 duplicates, 2 closed before, 1 unknown\n",
  );
  strictEqual(
    err,
    "Message m-1 was replayed before\nMessage m-2 was discarded before\n" +
      "Message 3 of the command line was not rejected, or its body was sent to a queue\n",
  );
  deepStrictEqual(await usersOf(aside), ["m-1", "m-3"]);
});

Deno.test("rejected replay continues with the others when one body does not open", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody({ user_id: CANARY }));
  await aside.reject("m-2", loginBody({ user_id: "fine" }));
  await aside.store.inside.query(
    "UPDATE maskline.rejected SET sealed = set_byte(sealed, 100, 7) WHERE message_id = 'm-1'",
  );
  const { code, out, err } = await aside.run(["replay", "m-1", "m-2", ...WHY]);
  strictEqual(code, 1);
  strictEqual(out, "1 replayed, 0 still rejected, 0 refused, 0 duplicates, 1 not opened\n");
  match(err, /^Message m-1 stays open: The sealed value was changed, or is next to another field/);
  deepStrictEqual(await stateOf(aside), { "m-1": OPEN, "m-2": REPLAYED });
});

Deno.test("rejected replay leaves a message open when it was sealed to a vault key that is not set", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody({ user_id: CANARY }));
  const { publicKey, privateKey } = await generateVaultKeys();
  const keys = {
    VAULT_PUBLIC_KEY: `v2:${publicKey.toBase64()}`,
    VAULT_PRIVATE_KEY: `v2:${privateKey.toBase64()}`,
  };
  const { code, err } = await aside.run(["replay", "m-1", ...WHY], aside.io(keys));
  strictEqual(code, 1);
  match(
    err,
    /^Message m-1 stays open: The value was sealed to the vault key v1, expected one of .*v2/,
  );
  const both = `${keys.VAULT_PRIVATE_KEY},${aside.settings["VAULT_PRIVATE_KEY"]}`;
  const io = aside.io({ ...keys, VAULT_PRIVATE_KEY: both });
  strictEqual((await aside.run(["replay", "m-1", ...WHY], io)).code, 0);
});

Deno.test("rejected replay ends and leaves the rest untouched when every row would fail", async () => {
  await using aside = await createRejectedMessages(postgres);
  for (const id of ["m-1", "m-2"]) await aside.reject(id, loginBody());
  await aside.store.inside.query("ALTER TABLE user_logins RENAME COLUMN locale TO place");
  const before = await dumpText(aside.store.inside);
  const { code, out, err } = await aside.run(["replay", "m-1", "m-2", ...WHY]);
  strictEqual(code, 1);
  strictEqual(out, "0 replayed, 0 still rejected, 0 refused, 0 duplicates, 2 not tried\n");
  match(err, /^Postgres refused with SQLSTATE 42703/);
  strictEqual(await dumpText(aside.store.inside), before);
});

Deno.test("rejected replay changes nothing when the audit log cannot be written", async () => {
  await using aside = await createRejectedMessages(postgres);
  const { inside } = aside.store;
  await aside.reject("m-1", loginBody({ user_id: CANARY }));
  const before = await dumpText(inside);
  await inside.query("ALTER FUNCTION maskline.note_audit RENAME TO gone");
  const missing = await aside.run(["replay", "m-1", ...WHY]);
  strictEqual(missing.code, 1);
  match(missing.err, /^The replay could not be recorded: .*42883/);
  await inside.query("ALTER FUNCTION maskline.gone RENAME TO note_audit");
  // If the audit log refuses the entry, the row is not refused. The SQLSTATE does not matter.
  await inside.query(
    "ALTER TABLE maskline.reveal_audit ADD CHECK (reason <> 'the check was wrong')",
  );
  const refused = await aside.run(["replay", "m-1", ...WHY]);
  strictEqual(refused.code, 1);
  match(refused.err, /^The replay could not be recorded: .*23514/);
  strictEqual(await dumpText(inside), before);
});

Deno.test("rejected replay stops before the next message when the signal is aborted", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody());
  const io = { ...aside.io(), signal: AbortSignal.abort() };
  const { code, out } = await aside.run(["replay", "m-1", ...WHY], io);
  deepStrictEqual(
    [code, out],
    [1, "0 replayed, 0 still rejected, 0 refused, 0 duplicates, 1 not tried\n"],
  );
  deepStrictEqual(await stateOf(aside), { "m-1": OPEN });
});

Deno.test("rejected replay leaves no value in clear when messages are replayed or fail", async () => {
  await using aside = await createRejectedMessages(postgres);
  const { inside } = aside.store;
  await inside.query("ALTER TABLE user_logins ADD CHECK (device_type <> 'refused')");
  const marked = { device_id: `${CANARY}-device`, ip: "2001:db8::7391" };
  await aside.reject("m-1", loginBody(marked));
  await aside.reject("m-2", loginBody({ ...marked, user_id: CANARY, device_type: "refused" }));
  await aside.reject("m-3", loginBody({ ...marked, ip: CANARY }));
  await aside.reject("m-4", `{"user_id": "${CANARY}`);
  const { out, err } = await aside.run(["replay", "m-1", "m-2", "m-3", "m-4", ...WHY]);
  strictEqual(out, "1 replayed, 2 still rejected, 1 refused, 0 duplicates\n");
  for (const text of [err, await dumpText(inside)]) {
    for (const value of [CANARY, new TextEncoder().encode(CANARY).toHex(), "2001:db8::7391"]) {
      ok(!text.includes(value), text);
    }
  }
});

const USAGE = /^Expected: maskline rejected replay ID… \| --where-reason CODE/;
const wrong: [args: string[], err: RegExp][] = [
  [[...WHY], USAGE],
  [[CANARY, "--where-reason", "missing", ...WHY], USAGE],
  [[CANARY, "--limit", "1", ...WHY], USAGE],
  [[CANARY, "--raw", ...WHY], USAGE],
  [[CANARY], /^--reason: expected 1 to 1000 characters/],
  [["--where-reason", "mising", ...WHY], /^--where-reason: .* did you mean missing\?$/m],
  [["--where-reason", CANARY, ...WHY], /^--where-reason: there is no such reason$/m],
  [["--where-reason", "missing", "--limit", "0", ...WHY], /^--limit: expected a whole number/],
];
for (const [args, message] of wrong) {
  Deno.test(`rejected replay exits with 2 and repeats nothing when the arguments are ${args.join(" ")}`, async () => {
    const io = fakeIo();
    deepStrictEqual([await main(["rejected", "replay", ...args], io), io.written.out], [2, ""]);
    match(io.written.err, message);
    ok(!io.written.err.includes(CANARY));
  });
}

const lacking: [what: string, settings: Record<string, string>, err: RegExp][] = [
  ["MASK_KEY", { MASK_KEY: "" }, /^ {2}MASK_KEY: is not set/m],
  ["VAULT_PRIVATE_KEY", { VAULT_PRIVATE_KEY: "" }, /^ {2}VAULT_PRIVATE_KEY: is not set/m],
  [
    "VAULT_PUBLIC_KEY",
    { VAULT_PUBLIC_KEY: "" },
    /^ {2}VAULT_PUBLIC_KEY: is not set\. Set that of the workers, or VAULT=off$/m,
  ],
  ["the other half of VAULT_PUBLIC_KEY", {
    VAULT_PRIVATE_KEY: `v1:${(await generateVaultKeys()).privateKey.toBase64()}`,
  }, /^ {2}VAULT_PRIVATE_KEY: its v1 is not the private half of VAULT_PUBLIC_KEY$/m],
  [
    "a valid DEDUPE_FIELD",
    { DEDUPE_FIELD: "ip" },
    /^ {2}DEDUPE_FIELD: expected a field that is not personal, got ip,/m,
  ],
];
for (const [what, settings, message] of lacking) {
  Deno.test(`rejected replay changes nothing when the settings lack ${what}`, async () => {
    await using aside = await createRejectedMessages(postgres);
    await aside.reject("m-1", loginBody());
    const { code, out, err } = await aside.run(["replay", "m-1", ...WHY], aside.io(settings));
    deepStrictEqual([code, out], [2, ""]);
    match(err, message);
    deepStrictEqual(await stateOf(aside), { "m-1": OPEN });
  });
}
