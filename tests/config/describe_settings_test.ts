import { deepStrictEqual, ok, strictEqual } from "node:assert";
import {
  describeRange,
  formatSettingsHelp,
  formatSettingsMarkdown,
  redactSettings,
} from "../../lib/config/describe_settings.ts";
import { readSettings } from "../../lib/config/read_settings.ts";
import { type Row, settings } from "../../lib/config/settings.ts";
import { fakeSource } from "../support/fake_io.ts";

const rows = Object.entries<Row>(settings);
const KEY = "Ww+nvhE20shOmXP8YNUYqSs0x+6KAX1fkuZMszjR8Go=";
const OTHER = "pPBYQe7IJTTHsZoMnyrmV9TLNhAWfe6xmpG0TM4uD5U=";

function redact(values: Readonly<Record<string, string>>): Record<string, string | number> {
  return redactSettings(readSettings(fakeSource(values), []));
}

Deno.test("redactSettings() shows the defaults and no empty row when nothing is set", () => {
  const shown = redact({});
  const withDefault = rows.filter(([, row]) => "default" in row).map(([name]) => name);
  deepStrictEqual(Object.keys(shown), withDefault);
  strictEqual(shown["BATCH_ROWS"], 500);
  strictEqual(shown["HTTP_ADDRESS"], "127.0.0.1:8080");
});

Deno.test("redactSettings() shows only the ids of keys when keys are set", () => {
  const shown = redact({
    MASK_KEY: `k2:${KEY},k1:${OTHER}`,
    VAULT_PUBLIC_KEY: `v7:${KEY}`,
  });
  strictEqual(shown["MASK_KEY"], "k2:…,k1:…");
  strictEqual(shown["VAULT_PUBLIC_KEY"], "v7:…");
});

const urls: [given: string, shown: string][] = [
  ["postgres://app:zq7@db.example:5433/app?password=zq7#zq7", "postgres://db.example:5433/app"],
  ["postgresql://zq7@db/app?sslmode=require&sslkey=zq7", "postgresql://db/app"],
  ["postgres://:zq7@[::1]/app", "postgres://[::1]/app"],
];
for (const [given, expected] of urls) {
  Deno.test(`redactSettings() shows only host and path when the database is ${given}`, () => {
    strictEqual(redact({ DATABASE_URL: given })["DATABASE_URL"], expected);
  });
}

Deno.test("redactSettings() shows only host and path when a queue's URL has a password", () => {
  const shown = redact({ SQS_QUEUE_URL: "https://zq7:zq7@sqs.example:8443/1/q?token=zq7" });
  strictEqual(shown["SQS_QUEUE_URL"], "https://sqs.example:8443/1/q");
});

Deno.test("redactSettings() shows no secret when all settings are given", () => {
  const shown = redact({
    SQS_QUEUE_URL: "https://zq7@sqs.example/1/q?zq7",
    SQS_DLQ_URL: "https://a:zq7@sqs.example/1/dlq#zq7",
    DATABASE_URL: "postgres://zq7:zq7@db/app?options=zq7",
    MASK_KEY: `k1:${KEY}`,
    MASK_PEPPER: `p1:${KEY}`,
    VAULT_PUBLIC_KEY: `v1:${OTHER}`,
    VAULT_PRIVATE_KEY: `v1:${OTHER}`,
    VAULT_DATABASE_URL: "postgres://zq7:zq7@vault/app?options=zq7",
    DEDUPE_FIELD: "event_id",
    HTTP_ADDRESS: "off",
  });
  const text = JSON.stringify(shown);
  for (const secret of ["zq7", KEY.slice(0, 8), OTHER.slice(0, 8)]) {
    ok(!text.includes(secret), text);
  }
  strictEqual(Object.keys(shown).length, rows.length);
});

for (const [name, row] of rows) {
  Deno.test(`formatSettingsHelp() and formatSettingsMarkdown() explain ${name}`, () => {
    const file = `${name}_FILE`;
    for (const text of [formatSettingsHelp(), formatSettingsMarkdown()]) {
      ok(text.includes(name) && text.includes(describeRange(row)) && text.includes(row.about));
      if ("default" in row) ok(text.includes(String(row.default)));
      // Only a secret can be read from a file.
      strictEqual(text.includes(file), row.secret === true);
    }
  });
}

Deno.test("formatSettingsMarkdown() returns a table of four columns with a row for each setting", () => {
  const lines = formatSettingsMarkdown().split("\n");
  strictEqual(lines.length, rows.length + 2);
  for (const line of lines) strictEqual(line.match(/(?<!\\)\|/g)?.length, 5, line);
});

Deno.test("describeRange() describes the values that each kind of setting may have", () => {
  strictEqual(describeRange(settings.BATCH_ROWS), "1 to 10000 rows");
  strictEqual(describeRange(settings.VAULT), "on, off");
  strictEqual(describeRange(settings.HTTP_ADDRESS), "host:port, off");
  strictEqual(describeRange(settings.DEDUPE_FIELD), "1 to 128 characters");
  strictEqual(describeRange(settings.DATABASE_URL), "URL (postgres://, postgresql://)");
  strictEqual(describeRange(settings.MASK_KEY), "1 to 8 keys");
  strictEqual(describeRange(settings.VAULT_PUBLIC_KEY), "key");
});
