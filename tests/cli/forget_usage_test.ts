import { doesNotMatch, match, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { fakeIo } from "../support/fake_io.ts";

const MASK = `k1.${"A".repeat(43)}`;
const wrong: [what: string, args: string[], err: RegExp, stdin?: string][] = [
  ["there is no reason", ["--user", "-"], /^--reason: wanted/],
  ["neither is named", ["--reason", "r"], /^Wanted one of both/],
  ["both are named", ["--reason", "r", "--user", "-", "--mask", MASK], /^Wanted one of both/],
  ["the field is missing", ["--reason", "r", "--mask", MASK], /^Wanted one of both/],
  [
    "the field is no personal one",
    ["--reason", "r", "--field", "zq", "--mask", MASK],
    /^FIELD: wanted/,
  ],
  ["the mask is none", ["--reason", "r", "--field", "ip", "--mask", "zq"], /^--mask: wanted/],
  [
    "rows are named with a mask",
    ["--reason", "r", "--field", "ip", "--mask", MASK, "--rows", "delete"],
    /^--rows goes with/,
  ],
  ["rows are to do something else", ["--reason", "r", "--user", "-", "--rows", "zq"], /^--rows: w/],
  [
    "the reason has the id",
    ["--reason", "for zq:ann.", "--user", "-"],
    /has the person's id/,
    "zq:ann",
  ],
  [
    "the ticket has the id",
    ["--reason", "r", "--ticket", "zq:ann", "--user", "-"],
    /has the person's id/,
    "zq:ann",
  ],
];
for (const [what, args, message, stdin = ""] of wrong) {
  Deno.test(`forget asks for the right words, and repeats none, when ${what}`, async () => {
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
  Deno.test(`forget fails before it asks the database when the id ${what}`, async () => {
    const settings = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" };
    const io = fakeIo({ stdin, settings });
    strictEqual(await main(["forget", "--user", "-", "--reason", "r"], io), 1);
    match(io.written.err, message);
    doesNotMatch(io.written.err, /zq/);
  });
}
