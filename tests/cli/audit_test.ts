import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { recordAudit } from "../../lib/custody/audit.ts";
import { fakeIo } from "../support/fake_io.ts";
import { createGuest } from "../support/guest.ts";
import { runMaskline } from "../support/maskline.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { open } from "../support/test_store.ts";
import { createVault, type TestVault } from "../support/test_vault.ts";

const server = await sharedPostgres();

/** What a terminal would obey, in the one text of the audit log that a client chooses. */
const CONTROLS = "a\\b\u001b[2J\u009b\u202e\tz";

/** Creates a database whose audit log has three entries. */
async function filled(): Promise<TestVault> {
  const vault = await createVault(server);
  const database = open({ url: new URL(vault.inside.url) });
  await recordAudit(database, {
    action: "reveal",
    osUser: "zoë",
    reason: "asked by the user",
    ticket: "LAW-12",
    subjects: [{ field: "ip", mask: "k1.a" }, { field: "ip", mask: "k1.b" }],
  });
  const detail = "3 rows";
  const subjects = [{ field: null, mask: null }];
  await recordAudit(database, {
    action: "forget",
    osUser: null,
    reason: CONTROLS,
    ticket: null,
    detail,
    subjects,
  });
  await database.close();
  return vault;
}

/** Reads the hash of an entry. */
async function hashOf({ inside }: TestVault, number: number): Promise<string> {
  const [row] = await inside.query<{ hash: string }>(
    "SELECT encode(hash, 'hex') AS hash FROM maskline.reveal_audit WHERE number = $1",
    [number],
  );
  return row?.hash ?? "";
}

const KEEP = "keep this line to prove later that none was removed";

Deno.test("audit verify prints the count and the head when all is well", async () => {
  await using vault = await filled();
  deepStrictEqual(await vault.run(["audit", "verify"]), {
    code: 0,
    out: `ok 3 entries; ${KEEP}: 3:${await hashOf(vault, 3)}\n`,
    err: "",
  });
});

Deno.test("audit verify prints 0 entries and accepts that as a head when the audit log is empty", async () => {
  await using vault = await createVault(server);
  const { out } = await vault.run(["audit", "verify"]);
  strictEqual(out, `ok 0 entries; ${KEEP}: 0:${"0".repeat(64)}\n`);
  strictEqual((await vault.run(["audit", "verify", "--head", out])).code, 0);
});

Deno.test("audit verify accepts an earlier head, alone or in its line, when entries were added since", async () => {
  await using vault = await filled();
  const head = `2:${await hashOf(vault, 2)}`;
  for (const kept of [head, `ok 2 entries; ${KEEP}: ${head}\n`]) {
    const { code, out } = await vault.run(["audit", "verify", "--head", kept]);
    deepStrictEqual([code, out.slice(0, 12)], [0, "ok 3 entries"]);
  }
});

Deno.test("audit verify works as a process when the role may only read the audit log", async () => {
  await using vault = await filled();
  await using guest = await createGuest(vault.inside, ["SELECT ON maskline.reveal_audit"]);
  const { code, out, err } = await runMaskline(["audit", "verify"], {
    env: { VAULT_DATABASE_URL: guest.url },
  });
  deepStrictEqual([code, err], [0, ""]);
  match(out, /^ok 3 entries; /);
});

const broken: readonly [what: string, statement: string, err: string][] = [
  [
    "an entry was changed",
    "UPDATE maskline.reveal_audit SET mask = 'k1.zq7' WHERE number = 2",
    "entry 2: its hash does not match its columns: it was changed",
  ],
  [
    "an entry was removed",
    "DELETE FROM maskline.reveal_audit WHERE number = 1",
    "entry 2: expected number 1 here: entries are missing or renumbered",
  ],
  [
    "the last entry was removed",
    "DELETE FROM maskline.reveal_audit WHERE number = 3",
    "entry 3: it is missing: the last entry is 2",
  ],
];
for (const [what, statement, message] of broken) {
  Deno.test(`audit verify fails and names the entry when ${what}`, async () => {
    await using vault = await filled();
    const head = `3:${await hashOf(vault, 3)}`;
    await vault.inside.query("ALTER TABLE maskline.reveal_audit DISABLE TRIGGER append_only");
    await vault.inside.query(statement);
    deepStrictEqual(await vault.run(["audit", "verify", "--head", head]), {
      code: 1,
      out: "",
      err: `The audit log is broken at ${message}\n`,
    });
  });
}

Deno.test("audit list prints one entry on each line, newest first, escaped, when a text has control characters", async () => {
  await using vault = await filled();
  const { code, out, err } = await vault.run(["audit", "list"]);
  deepStrictEqual([code, err], [0, ""]);
  const at = /\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\t/g;
  const { username } = new URL(vault.inside.url);
  deepStrictEqual(
    out.replaceAll(at, "\tAT\t").replaceAll(`\t${username}\t`, "\tROLE\t"),
    [
      "3\tAT\tROLE\t-\tforget\t-\t-\ta\\\\b\\u{1b}[2J\\u{9b}\\u{202e}\\u{9}z\t-\t3 rows\n",
      "2\tAT\tROLE\tzoë\treveal\tip\tk1.b\tasked by the user\tLAW-12\t-\n",
      "1\tAT\tROLE\tzoë\treveal\tip\tk1.a\tasked by the user\tLAW-12\t-\n",
    ].join(""),
  );
});

Deno.test("audit list prints whole entries in ASCII when --json is given", async () => {
  await using vault = await filled();
  const { out } = await vault.run(["audit", "list", "--json", "--limit", "1"]);
  ok(/^[\x20-\x7e]+\n$/.test(out));
  const entry = JSON.parse(out);
  deepStrictEqual(
    [entry.number, entry.os_user, entry.action, entry.reason, entry.detail, entry.hash],
    ["3", null, "forget", CONTROLS, "3 rows", await hashOf(vault, 3)],
  );
});

Deno.test("audit list succeeds and reports it when the audit log is empty", async () => {
  await using vault = await createVault(server);
  const err = "The audit log has no entries\n";
  deepStrictEqual(await vault.run(["audit", "list"]), { code: 0, out: "", err });
  deepStrictEqual(await vault.run(["audit", "list", "--json"]), { code: 0, out: "", err: "" });
});

Deno.test("audit fails with the error of Postgres when the role may not read the log", async () => {
  await using vault = await filled();
  await using guest = await createGuest(vault.inside, []);
  for (const verb of ["verify", "list"]) {
    const { code, out, err } = await vault.run(["audit", verb], {
      settings: { DATABASE_URL: guest.url },
    });
    deepStrictEqual([code, out], [1, ""]);
    match(err, /SQLSTATE 42501: permission denied for table reveal_audit/);
  }
});

const wrong: readonly [args: string[], err: RegExp][] = [
  [[], /^Expected: maskline audit verify /],
  [["zq7"], /^Expected: maskline audit verify /],
  [["verify", "zq7"], /^Expected: maskline audit verify /],
  [["verify", "--json"], /^Expected: maskline audit verify /],
  [["verify", "--limit", "1"], /^Expected: maskline audit verify /],
  [["list", "--head", "zq7"], /^Expected: maskline audit verify /],
  [["list", "--limit", "0"], /^--limit: expected a whole number from 1 to 10000$/],
  [["verify", "--head", "zq7"], /^--head: expected NUMBER:HASH, or the line/],
  [["verify", "--head", `1:${"0".repeat(63)}`], /^--head: expected/],
  [["verify", "--head", `01:${"0".repeat(64)}`], /^--head: expected/],
  [["verify", "--head", `1:${"A".repeat(64)}`], /^--head: expected/],
];
for (const [args, message] of wrong) {
  Deno.test(`audit prints what it expected when its arguments are ${args.join(" ").slice(0, 30) || "missing"}`, async () => {
    // No server listens there: if the command connected to the database, it would exit with 1.
    const io = fakeIo({ settings: { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" } });
    const code = await main(["audit", ...args], io);
    const { out, err } = io.written;
    deepStrictEqual([code, out], [2, ""]);
    match(err.trimEnd(), message);
    ok(!err.includes("zq7"));
  });
}
