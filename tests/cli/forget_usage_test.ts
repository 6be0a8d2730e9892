import { doesNotMatch, match, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { fakeIo } from "../support/fake_io.ts";

const MASK = `k1.${"A".repeat(43)}`;
const wrong: [what: string, args: string[], err: RegExp, stdin?: string][] = [
  ["there is no reason", ["--user", "-"], /^--reason: expected 1 to 1000 characters/],
  ["neither is named", ["--reason", "r"], /^Expected either --user, or --field and --mask\n$/],
  [
    "both are named",
    ["--reason", "r", "--user", "-", "--mask", MASK],
    /^Expected either --user, or --field and --mask\n$/,
  ],
  [
    "the field is missing",
    ["--reason", "r", "--mask", MASK],
    /^Expected either --user, or --field and --mask\n$/,
  ],
  [
    "the field is not personal",
    ["--reason", "r", "--field", "zq", "--mask", MASK],
    /^FIELD: expected ip or device_id\n$/,
  ],
  [
    "the mask is not a mask",
    ["--reason", "r", "--field", "ip", "--mask", "zq"],
    /^--mask: expected a mask/,
  ],
  [
    "rows are named with a mask",
    ["--reason", "r", "--field", "ip", "--mask", MASK, "--rows", "delete"],
    /^--rows: is only allowed with --user\n$/,
  ],
  [
    "--rows has another value",
    ["--reason", "r", "--user", "-", "--rows", "zq"],
    /^--rows: expected delete or anonymise\n$/,
  ],
  [
    "the reason has the id",
    ["--reason", "for zq:ann.", "--user", "-"],
    /^--reason and --ticket: expected texts without the person's id/,
    "zq:ann",
  ],
  [
    "the ticket has the id",
    ["--reason", "r", "--ticket", "zq:ann", "--user", "-"],
    /^--reason and --ticket: expected texts without the person's id/,
    "zq:ann",
  ],
];
for (const [what, args, message, stdin = ""] of wrong) {
  Deno.test(`forget prints what it expected, and repeats nothing, when ${what}`, async () => {
    const settings = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" };
    const io = fakeIo({ stdin, settings });
    strictEqual(await main(["forget", ...args], io), 2);
    strictEqual(io.written.out, "");
    match(io.written.err, message);
    doesNotMatch(io.written.err, /zq/);
  });
}

const ids: [what: string, stdin: string, err: RegExp][] = [
  ["is empty", "\n", /shorter/],
  ["is too long", "zq".repeat(65), /longer/],
  ["has a NUL", "zq\0", /U\+0000/],
];
for (const [what, stdin, message] of ids) {
  Deno.test(`forget fails before it connects to the database when the id ${what}`, async () => {
    const settings = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" };
    const io = fakeIo({ stdin, settings });
    strictEqual(await main(["forget", "--user", "-", "--reason", "r"], io), 1);
    match(io.written.err, message);
    doesNotMatch(io.written.err, /zq/);
  });
}
