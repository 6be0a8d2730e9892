import { deepStrictEqual, fail, ok, strictEqual } from "node:assert";
import { findPhrases, formatFinding, listFiles, phrases, scanPhrases } from "./phrases.ts";

/** The files and folders whose texts are checked. */
const CHECKED = ["lib", "README.md", "docs", ".github"];

/** The phrases found in a text, in its order. */
function find(text: string): string[] {
  return findPhrases(text, "a.ts").map(({ phrase }) => phrase.toLowerCase());
}

Deno.test("the code and the documentation contain no avoided phrase", async () => {
  const findings = await scanPhrases(CHECKED);
  if (findings.length > 0) {
    fail(`${findings.length} findings:\n${findings.map(formatFinding).join("\n")}`);
  }
});

Deno.test("scanPhrases() reads every room of lib/", async () => {
  // A scan that finds no file would always pass.
  const files = await listFiles("lib");
  for (const file of ["lib/pipeline/pipeline.ts", "lib/queue/sqs/http.ts", "lib/cli/main.ts"]) {
    ok(files.includes(file), file);
  }
  deepStrictEqual(await listFiles("no/such/folder"), []);
});

const avoided: readonly [text: string, ...found: string[]][] = [
  ["wanted a URL, got a number", "wanted"],
  ["The store is away (57P01)", "is away"],
  ["The store is still away", "is still away"],
  ["it comes again, or they come again", "comes again", "come again"],
  ["gives back what was given back", "gives back", "given back"],
  [
    "was set aside, sets aside, set message a aside",
    "set aside",
    "sets aside",
    "set message a aside",
  ],
  ["stands beside another field", "stands"],
  ["Nobody, somebody, everybody, whoever", "nobody", "somebody", "everybody", "whoever"],
  ["whatever its status", "whatever"],
  ["made anew, once more", "anew", "once more"],
  ["a fault that waiting does not mend, or #mend, or is mended", "mend", "mend", "mended"],
  ["would come for ever", "for ever"],
  ["costs nothing to speak of", "nothing to speak of"],
  ["in the midst of a commit", "in the midst"],
  ["const deed = 1; // deeds of another hand", "deed", "deeds", "another hand"],
  ["A guess.", "a guess"],
  ["values of late, days of before, the former", "of late", "of before", "the former"],
  ["is noted in the audit", "noted"],
  ["tells what was told", "tells", "told"],
  ["WRONG queue", "wrong"],
];
for (const [text, ...found] of avoided) {
  Deno.test(`findPhrases() finds ${found.join(", ")}`, () => deepStrictEqual(find(text), found));
}

const plain = [
  "It understands the standard.",
  "isAway, #wantedRows, retold, amend, indeed, gateway, straightaway",
  "SELECT set_aside FROM maskline.rejected FOR UPDATE",
  "> **Note** and release notes",
  "2 wrong settings",
  "an attacker can guess a password; guesses",
  "a mask and its original, for every row",
  "the set of rows aside from these",
];
for (const text of plain) {
  Deno.test(`findPhrases() finds nothing in: ${text}`, () => deepStrictEqual(find(text), []));
}

Deno.test("findPhrases() finds a phrase that two lines of a comment share", () => {
  const text = "/**\n * It would come for\n * ever, which is what a\n * guess is.\n */";
  deepStrictEqual(findPhrases(text, "lib/a.ts").map(formatFinding), [
    'lib/a.ts:2: "for ever": write indefinitely, forever',
    'lib/a.ts:3: "a guess": write an estimate, not measured',
  ]);
  deepStrictEqual(find("// once\n// more"), ["once more"]);
});

Deno.test("phrases has each pattern once, with a replacement", () => {
  strictEqual(new Set(phrases.map(({ pattern }) => pattern.source)).size, phrases.length);
  ok(phrases.every(({ instead }) => instead !== ""));
});
