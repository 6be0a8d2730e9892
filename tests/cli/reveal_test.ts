import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { fakeIo } from "../support/fake_io.ts";
import { freePort } from "../support/free_port.ts";
import { createTestKeys, insertOriginals } from "../support/kept_originals.ts";
import { runMaskline } from "../support/maskline.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { createVault, type Ended, type TestVault } from "../support/test_vault.ts";

const server = await sharedPostgres();

const WHY = ["--reason", "asked by the user"];
const UNKNOWN = `k1.${"x".repeat(43)}`;
const ADDRESSES = ["203.0.113.7", "2001:db8::1", "::1"];

/** Creates a vault with three addresses, and returns their masks too. */
async function filled(): Promise<TestVault & { masks: [string, string, string] }> {
  const vault = await createVault(server);
  const masks = await vault.insert(ADDRESSES.map((original) => ({ field: "ip", original })));
  return { ...vault, masks: masks as [string, string, string] };
}

/** Seals a device id in a new vault and reveals it with these flags. */
async function revealDevice(
  original: string,
  ...flags: string[]
): Promise<Ended & { mask: string }> {
  await using vault = await createVault(server);
  const [mask = ""] = await vault.insert([{ field: "device_id", original }]);
  return { mask, ...await vault.run(["reveal", "device_id", mask, ...WHY, ...flags]) };
}

Deno.test("reveal prints the original alone when one mask is requested", async () => {
  await using vault = await filled();
  const [, mask] = vault.masks;
  deepStrictEqual(await vault.run(["reveal", "ip", mask, ...WHY]), {
    code: 0,
    out: "2001:db8::1\n",
    err: "",
  });
});

Deno.test("reveal prints each mask once with its original, in the order of the input, when --stdin is given", async () => {
  await using vault = await filled();
  const [a, b, c] = vault.masks;
  const stdin = `\n${c}\r\n  ${a}  \n\n${b}\n${a}\n${c}`;
  deepStrictEqual(await vault.run(["reveal", "ip", "--stdin", ...WHY], { stdin }), {
    code: 0,
    out: `${c}\t::1\n${a}\t203.0.113.7\n${b}\t2001:db8::1\n`,
    err: "",
  });
  // Each is recorded once too.
  deepStrictEqual((await vault.listAudit()).map(({ mask }) => mask), [c, a, b]);
});

Deno.test("reveal prints the mask too when --stdin has only one", async () => {
  await using vault = await filled();
  const [mask] = vault.masks;
  const { out } = await vault.run(["reveal", "ip", "--stdin", ...WHY], { stdin: mask });
  strictEqual(out, `${mask}\t203.0.113.7\n`);
});

Deno.test("reveal does nothing and records nothing when standard input is empty", async () => {
  await using vault = await filled();
  deepStrictEqual(await vault.run(["reveal", "ip", "--stdin", ...WHY], { stdin: "\n\n" }), {
    code: 0,
    out: "",
    err: "Standard input has no mask\n",
  });
  deepStrictEqual(await vault.listAudit(), []);
});

Deno.test("reveal prints one object on each line when --json is given", async () => {
  await using vault = await filled();
  const [a, b] = vault.masks;
  const one = await vault.run(["reveal", "ip", a, "--json", ...WHY]);
  strictEqual(one.out, `{"field":"ip","mask":"${a}","original":"203.0.113.7"}\n`);
  const stdin = `${a}\n${b}\n`;
  const { out } = await vault.run(["reveal", "ip", "--stdin", "--json", ...WHY], { stdin });
  deepStrictEqual(out.trimEnd().split("\n").map((text) => JSON.parse(text).original), [
    "203.0.113.7",
    "2001:db8::1",
  ]);
});

/** What a terminal would obey: escape sequences, C1, direction marks, tags beyond U+FFFF. */
const CONTROLS = "a\\b\u001b[2J\u0085\u009b\u202e\u2066\u2028\ufeff\u{e0041}\tz";

Deno.test("reveal escapes control and format characters when an original has them", async () => {
  const { out } = await revealDevice(CONTROLS);
  strictEqual(
    out,
    "a\\\\b\\u{1b}[2J\\u{85}\\u{9b}\\u{202e}\\u{2066}\\u{2028}\\u{feff}\\u{e0041}\\u{9}z\n",
  );
});

Deno.test("reveal prints the exact text, escaped, when --json is given", async () => {
  const { out, mask } = await revealDevice(CONTROLS, "--json");
  deepStrictEqual(JSON.parse(out), { field: "device_id", mask, original: CONTROLS });
  match(out, /^[\x20-\x7e]+\n$/);
});

Deno.test("reveal prints 10,000 originals when their masks are on --stdin", async () => {
  await using vault = await createVault(server);
  const originals = Array.from({ length: 10_000 }, (_, index) => `device ${index} Zoë 📱`);
  const masks = await vault.insert(
    originals.map((original) => ({ field: "device_id", original })),
  );
  const stdin = masks.join("\n");
  const { code, out, err } = await vault.run(["reveal", "device_id", "--stdin", ...WHY], { stdin });
  deepStrictEqual([code, err], [0, ""]);
  strictEqual(out, masks.map((mask, index) => `${mask}\t${originals[index]}\n`).join(""));
  strictEqual((await vault.listAudit()).length, 10_000);
});

Deno.test("reveal prints the others and lists the missing masks when the vault has no original for some", async () => {
  await using vault = await filled();
  const [a, b] = vault.masks;
  const old = `k0.${"x".repeat(43)}`;
  const stdin = [UNKNOWN, a, old, b].join("\n");
  const { code, out, err } = await vault.run(["reveal", "ip", "--stdin", ...WHY], {
    stdin,
    settings: { MASK_KEY: "" },
  });
  deepStrictEqual([code, out], [1, `${a}\t203.0.113.7\n${b}\t2001:db8::1\n`]);
  strictEqual(err, `The vault has no original for 2 of 4 masks:\n  ${UNKNOWN}\n  ${old}\n`);
});

Deno.test("reveal prints nothing when the mask is of another field", async () => {
  await using vault = await filled();
  const [mask] = vault.masks;
  const { code, out, err } = await vault.run(["reveal", "device_id", mask, ...WHY]);
  deepStrictEqual([code, out], [1, ""]);
  match(err, /^The vault has no original for 1 of 1 masks:/);
});

Deno.test("reveal opens originals of several vault keys when all private keys are set", async () => {
  await using vault = await filled();
  const older = await createTestKeys("k0", "v0");
  const [old = ""] = await insertOriginals(vault.inside, older, [{ field: "ip", original: "::2" }]);
  const settings = {
    VAULT_PRIVATE_KEY:
      `${vault.keys.settings.VAULT_PRIVATE_KEY},${older.settings.VAULT_PRIVATE_KEY}`,
    MASK_KEY: `${vault.keys.settings.MASK_KEY},${older.settings.MASK_KEY}`,
  };
  const stdin = `${vault.masks[0]}\n${old}`;
  deepStrictEqual(await vault.run(["reveal", "ip", "--stdin", ...WHY], { stdin, settings }), {
    code: 0,
    out: `${vault.masks[0]}\t203.0.113.7\n${old}\t::2\n`,
    err: "",
  });
});

Deno.test("reveal reads the other database when VAULT_DATABASE_URL is set and DATABASE_URL is not", async () => {
  await using vault = await filled();
  const settings = { VAULT_DATABASE_URL: vault.inside.url, DATABASE_URL: "" };
  const { out } = await vault.run(["reveal", "ip", vault.masks[2], ...WHY], { settings });
  strictEqual(out, "::1\n");
});

Deno.test("reveal stops before the next page when the signal is aborted", async () => {
  await using vault = await filled();
  const stop = new AbortController();
  stop.abort();
  const io = { ...fakeIo({ stdin: vault.masks.join("\n"), settings: vault.settings }) };
  const code = await main(["reveal", "ip", "--stdin", ...WHY], { ...io, signal: stop.signal });
  deepStrictEqual([code, io.written.out, io.written.err], [1, "", "Stopped after 0 of 3 masks\n"]);
});

Deno.test("reveal works as a process and records its user when the key is in a file", async () => {
  await using vault = await filled();
  const directory = await Deno.makeTempDir();
  const path = `${directory}/key`;
  await Deno.writeTextFile(path, `${vault.keys.settings.VAULT_PRIVATE_KEY}\n`);
  const { code, out, err } = await runMaskline(["reveal", "ip", vault.masks[0], ...WHY], {
    env: { DATABASE_URL: vault.inside.url, VAULT_PRIVATE_KEY_FILE: path },
  });
  await Deno.remove(directory, { recursive: true });
  deepStrictEqual([code, out, err], [0, "203.0.113.7\n", ""]);
  const [entry] = await vault.inside.query("SELECT os_user FROM maskline.reveal_audit");
  ok(typeof entry?.["os_user"] === "string" && entry["os_user"] !== "");
});

const wrong: readonly [what: string, args: string[], err: string, stdin?: string][] = [
  [
    "FIELD is almost one",
    ["ipp", UNKNOWN, ...WHY],
    "FIELD: expected ip or device_id; did you mean ip?",
  ],
  ["FIELD is an original", ["zq7.0.0.1", UNKNOWN, ...WHY], "FIELD: expected ip or device_id"],
  ["FIELD is not personal", ["user_id", UNKNOWN, ...WHY], "FIELD: expected ip or device_id"],
  ["MASK is an original", ["ip", "zq7.0.0.1", ...WHY], "MASK: expected a mask as in the table: "],
  [
    "MASK and --stdin are given",
    ["ip", UNKNOWN, "--stdin", ...WHY],
    "Expected either MASK or --stdin",
  ],
  ["neither MASK nor --stdin is given", ["ip", ...WHY], "Expected either MASK or --stdin"],
  [
    "a line is an original",
    ["ip", "--stdin", ...WHY],
    "Line 3 of standard input is not a mask",
    `${UNKNOWN}\n\nzq7.0.0.1\n`,
  ],
  [
    "there are too many masks",
    ["ip", "--stdin", ...WHY],
    "Standard input: expected at most 20000 masks, got 20001",
    Array.from({ length: 20_001 }, (_, index) => `k1.${String(index).padStart(43, "x")}`).join(
      "\n",
    ),
  ],
  ["there is no reason", ["ip", UNKNOWN], "--reason: expected 1 to 1000 characters"],
  ["the reason is blank", ["ip", UNKNOWN, "--reason", " \t "], "--reason: expected 1 to 1000"],
  ["the reason has a line end", ["ip", UNKNOWN, "--reason", "zq7\nb"], "--reason: expected 1 to"],
  ["the reason is long", ["ip", UNKNOWN, "--reason", "zq7".repeat(334)], "--reason: expected 1 to"],
  ["the ticket is empty", ["ip", UNKNOWN, ...WHY, "--ticket", ""], "--ticket: expected 1 to 100"],
  [
    "there is an argument too many",
    ["ip", UNKNOWN, "zq7", ...WHY],
    "Expected: maskline reveal FIELD MASK",
  ],
];
/** Runs `reveal` where no database listens: if it reached the audit log, it would exit with 1. */
async function revealNowhere(
  args: readonly string[],
  { stdin = "", settings = {} }: { stdin?: string; settings?: Record<string, string> } = {},
): Promise<Ended> {
  const keys = await createTestKeys();
  const url = `postgres://x@127.0.0.1:${freePort()}/x`;
  const io = fakeIo({ stdin, settings: { DATABASE_URL: url, ...keys.settings, ...settings } });
  const code = await main(["reveal", ...args], io);
  return { code, ...io.written };
}

for (const [what, args, message, stdin = ""] of wrong) {
  Deno.test(`reveal prints what it expected and records nothing when ${what}`, async () => {
    const { code, out, err } = await revealNowhere(args, { stdin });
    deepStrictEqual([code, out], [2, ""]);
    ok(err.startsWith(message) && !err.includes("zq7"), err);
  });
}

for (const name of ["VAULT_PRIVATE_KEY", "DATABASE_URL"]) {
  Deno.test(`reveal requires ${name} when it is not set`, async () => {
    const settings = { [name]: "" };
    const { code, out, err } = await revealNowhere(["ip", UNKNOWN, ...WHY], { settings });
    deepStrictEqual([code, out], [2, ""]);
    ok(err.startsWith(`1 wrong setting:\n  ${name}: is not set.`), err);
  });
}

Deno.test("reveal prints one problem only when VAULT_DATABASE_URL is not a URL", async () => {
  const settings = { VAULT_DATABASE_URL: "zq7", DATABASE_URL: "" };
  const { code, err } = await revealNowhere(["ip", UNKNOWN, ...WHY], { settings });
  strictEqual(code, 2);
  match(err, /^1 wrong setting:\n {2}VAULT_DATABASE_URL: expected a URL/);
});
