import { ok } from "node:assert";
import { readSettings, SettingsError } from "../../lib/config/read_settings.ts";
import { fakeSource } from "../support/fake_io.ts";

/** Is in every secret below, and in no other text. */
const SECRET = "zq7";
const KEY = "k1:zq7+nvhE20shOmXP8YNUYqSs0x+6KAX1fkuZMszjR8Go=";
const PASSWORD = "zq7-hunter2-zq7";
const DATABASE = `postgres://maskline:${PASSWORD}@db.example/app`;

type Values = Readonly<Record<string, string>>;

function findProblems(values: Values, files: Values): readonly string[] {
  try {
    readSettings(fakeSource(values, files), ["SQS_QUEUE_URL", "DATABASE_URL", "MASK_KEY"]);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

const leaks: [what: string, values: Values, files?: Values][] = [
  ["a key is malformed", { MASK_KEY: "k1 zq7", VAULT_PUBLIC_KEY: "zq7zq7" }],
  ["a key is short", { MASK_KEY: "k1:zq7zq7zq", VAULT_PUBLIC_KEY: "v1:zq7zq7zq" }],
  ["a key in a file is wrong", { MASK_KEY_FILE: "/f" }, { "/f": "k1:zq7zq7!" }],
  ["a database URL has no scheme", { DATABASE_URL: `maskline:${PASSWORD}@db/app` }],
  ["a database URL has another scheme", { DATABASE_URL: DATABASE.replace("postgres", "mysql") }],
  ["a database URL is no URL", { DATABASE_URL: `postgres://u:${PASSWORD}@:5432:` }],
  // An earlier version repeated the URL with its password.
  ["the database URL is set as the queue's URL", {
    SQS_QUEUE_URL: DATABASE,
    SQS_DLQ_URL: DATABASE,
  }],
  ["secrets are mistyped", { MASK_KEYS: KEY, DATABASE_URI: DATABASE }],
  ["a secret is set twice", { MASK_KEY: "zq7", MASK_KEY_FILE: "/zq7" }],
  ["a secret's file does not exist", { MASK_KEY_FILE: "/zq7", DATABASE_URL_FILE: "/zq7" }],
];
for (const [what, values, files = {}] of leaks) {
  Deno.test(`readSettings() puts no secret into a message when ${what}`, () => {
    const problems = findProblems(values, files);
    for (const name of Object.keys(values)) {
      const plain = name.replace(/_FILE$/, "");
      ok(problems.some((problem) => problem.startsWith(plain)), name);
    }
    for (const problem of problems) ok(!problem.includes(SECRET), problem);
  });
}
