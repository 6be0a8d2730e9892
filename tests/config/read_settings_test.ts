import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert";
import { readSettings, type Settings, SettingsError } from "../../lib/config/read_settings.ts";
import type { SettingName } from "../../lib/config/settings.ts";
import { fakeSource } from "../support/fake_io.ts";

const KEY = "k1:Ww+nvhE20shOmXP8YNUYqSs0x+6KAX1fkuZMszjR8Go=";

type Values = Readonly<Record<string, string>>;

function read(values: Values, files: Values = {}, required: readonly SettingName[] = []): Settings {
  return readSettings(fakeSource(values, files), required);
}

function findProblems(
  values: Values,
  files: Values = {},
  required: readonly SettingName[] = [],
  check?: (settings: Settings) => readonly string[],
): readonly string[] {
  try {
    readSettings(fakeSource(values, files), required, check);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

Deno.test("readSettings() returns the defaults when nothing is set", () => {
  deepStrictEqual(read({}), {
    SQS_QUEUE_URL: undefined,
    SQS_PROTOCOL: "json",
    DATABASE_URL: undefined,
    MASK_KEY: undefined,
    MASK_PEPPER: undefined,
    VAULT_PUBLIC_KEY: undefined,
    VAULT_PRIVATE_KEY: undefined,
    VAULT_DATABASE_URL: undefined,
    VAULT: "on",
    REJECTED_TO: "table",
    SQS_DLQ_URL: undefined,
    DEDUPE_FIELD: undefined,
    HTTP_ADDRESS: { hostname: "127.0.0.1", port: 8080 },
    BATCH_ROWS: 500,
    BATCH_MILLISECONDS: 200,
    MAX_IN_FLIGHT: 4_000,
    MAX_POLLERS: 8,
    MAX_MESSAGES_PER_SECOND: 0,
    DATABASE_CONNECTIONS: 2,
    STATEMENT_SECONDS: 15,
    STOP_SECONDS: 20,
    LOG_LEVEL: "info",
    LOG_FORMAT: "auto",
  });
});

Deno.test("readSettings() reads each kind of row when it is set", () => {
  const settings = read({
    SQS_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/1/q",
    MASK_KEY: KEY,
    VAULT: "off",
    HTTP_ADDRESS: "off",
    BATCH_ROWS: "7",
  });
  strictEqual(settings.SQS_QUEUE_URL?.pathname, "/1/q");
  strictEqual(settings.MASK_KEY?.[0].id, "k1");
  strictEqual(settings.VAULT, "off");
  strictEqual(settings.HTTP_ADDRESS, "off");
  strictEqual(settings.BATCH_ROWS, 7);
});

Deno.test("readSettings() uses the default when a value is empty", () => {
  const values = { BATCH_ROWS: "", VAULT: "", HTTP_ADDRESS: "", MASK_KEY: "", MASK_KEY_FILE: "" };
  deepStrictEqual(read(values), read({}));
  const [problem] = findProblems(values, {}, ["MASK_KEY"]);
  match(problem ?? "", /^MASK_KEY: is not set\./);
});

Deno.test("readSettings() reports all problems when there are several", () => {
  const problems = findProblems({ DATABASE_URL: "mysql://db", BATCH_ROWS: "x", VAULT: "of" }, {}, [
    "SQS_QUEUE_URL",
    "DATABASE_URL",
    "MASK_KEY",
  ]);
  deepStrictEqual(problems.map((problem) => problem.split(":")[0]).sort(), [
    "BATCH_ROWS",
    "DATABASE_URL",
    "MASK_KEY",
    "SQS_QUEUE_URL",
    "VAULT",
  ]);
});

Deno.test("SettingsError has the number of problems in its message", () => {
  strictEqual(new SettingsError(["a"]).message, "1 wrong setting");
  strictEqual(new SettingsError(["a", "b"]).message, "2 wrong settings");
});

Deno.test("readSettings() reads a secret from the file that X_FILE names", () => {
  const settings = read({ MASK_KEY_FILE: "/run/key" }, { "/run/key": `\n ${KEY} \r\n` }, [
    "MASK_KEY",
  ]);
  strictEqual(settings.MASK_KEY?.[0].bytes.length, 32);
});

Deno.test("readSettings() reads no file when the setting is not a secret", () => {
  const settings = read({ BATCH_ROWS_FILE: "/run/rows" }, { "/run/rows": "7" });
  strictEqual(settings.BATCH_ROWS, 500);
});

Deno.test("readSettings() reports one problem when a secret and its file are both set", () => {
  // An earlier version also reported that MASK_KEY is not set.
  deepStrictEqual(
    findProblems({ MASK_KEY: KEY, MASK_KEY_FILE: "/run/key" }, { "/run/key": KEY }, ["MASK_KEY"]),
    ["MASK_KEY: is set twice. Set either MASK_KEY or MASK_KEY_FILE"],
  );
});

Deno.test("readSettings() reports one problem when the file cannot be read", () => {
  // An earlier version also reported that MASK_KEY is not set.
  deepStrictEqual(findProblems({ MASK_KEY_FILE: "/run/zq7" }, {}, ["MASK_KEY"]), [
    "MASK_KEY_FILE: cannot be read (NotFound). Check the path and the file's permissions",
  ]);
});

Deno.test("readSettings() reports what it expected when the file is empty", () => {
  const [problem] = findProblems({ MASK_KEY_FILE: "/run/key" }, { "/run/key": "\n" }, ["MASK_KEY"]);
  match(problem ?? "", /^MASK_KEY: Key 1: expected <id>:<base64/);
});

const typos: [typo: string, meant: string][] = [
  ["MASK_KEYS", "MASK_KEY"],
  ["MASKKEY", "MASK_KEY"],
  ["DATABSE_URL", "DATABASE_URL"],
  ["SQS_QUEU_URL", "SQS_QUEUE_URL"],
  ["VAULT_PUBLIC_KEYS", "VAULT_PUBLIC_KEY"],
  ["BATCH_ROW", "BATCH_ROWS"],
  ["MAX_INFLIGHT", "MAX_IN_FLIGHT"],
];
for (const [typo, meant] of typos) {
  Deno.test(`readSettings() suggests ${meant} when ${typo} is set`, () => {
    const expected = `${typo}: is not a setting. Did you mean ${meant}?`;
    deepStrictEqual(findProblems({ [typo]: "zq7" }), [expected]);
  });
}

Deno.test("readSettings() names the mistyped variable when a missing setting has one", () => {
  const [problem] = findProblems({ MASK_KEYS: KEY }, {}, ["MASK_KEY"]);
  match(problem ?? "", /^MASK_KEY: is not set\..* \(MASK_KEYS is set\)$/);
});

Deno.test("readSettings() reports no typo when the setting itself is set", () => {
  deepStrictEqual(findProblems({ BATCH_ROW: "x", BATCH_ROWS: "7" }), []);
  deepStrictEqual(
    findProblems({ MASK_KEYS: "x", MASK_KEY_FILE: "/run/key" }, { "/run/key": KEY }),
    [],
  );
});

Deno.test("readSettings() reports no typo when a name is short or far from every setting", () => {
  deepStrictEqual(
    findProblems({ FAULT: "x", VAULTS: "x", HOME: "/", AWS_REGION: "x", PATH: "/" }),
    [],
  );
  deepStrictEqual(findProblems({ VAULT_PRIVATE_KEY: KEY, VAULT_ADDR: "x" }), []);
});

Deno.test("readSettings() checks the rules between settings when single settings are wrong too", () => {
  const check = () => ["LOG_LEVEL: a rule", "BATCH_ROWS: another rule"];
  const problems = findProblems({ BATCH_ROWS: "x" }, {}, [], check);
  strictEqual(problems.length, 2);
  ok(problems.includes("LOG_LEVEL: a rule") && !problems.includes("BATCH_ROWS: another rule"));
});

Deno.test("readSettings() omits a rule's problem when the setting's file is wrong", () => {
  const check = () => ["MASK_KEY: a rule"];
  deepStrictEqual(findProblems({ MASK_KEY_FILE: "/run/no" }, {}, [], check), [
    "MASK_KEY_FILE: cannot be read (NotFound). Check the path and the file's permissions",
  ]);
});

Deno.test("readSettings() throws the error of a row when its value is not the cause", () => {
  const source = { ...fakeSource(), get: () => fail() };
  throws(() => readSettings(source, []), { name: "TypeError", message: "not a setting" });
});

function fail(): never {
  throw new TypeError("not a setting");
}
