import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { readSettings } from "../../lib/config/read_settings.ts";
import { login } from "../../lib/contract/login.ts";
import { checkDedupeField, selectContract } from "../../lib/worker/contract.ts";
import { fakeIo, fakeSource } from "../support/fake_io.ts";

function settingsWith(values: Record<string, string>) {
  return readSettings(fakeSource(values), []);
}

const event = {
  user_id: "u-1",
  device_type: "ios",
  ip: "203.0.113.9",
  device_id: "device-9",
  app_version: "1.2.3",
  event_id: "e-1",
};

async function explain(field: string, body: object) {
  const io = fakeIo({ settings: { DEDUPE_FIELD: field }, stdin: JSON.stringify(body) });
  const code = await main(["explain"], io);
  return { code, ...io.written };
}

Deno.test("selectContract() returns the login contract when DEDUPE_FIELD is not set", () => {
  strictEqual(selectContract(settingsWith({})), login);
});

Deno.test("selectContract() returns a contract with the field when DEDUPE_FIELD is set", () => {
  deepStrictEqual(selectContract(settingsWith({ DEDUPE_FIELD: "event_id" })), {
    ...login,
    dedupeField: "event_id",
  });
});

for (const name of ["ip", "device_id"]) {
  Deno.test(`checkDedupeField() returns a problem when the field is ${name}, which is personal`, () => {
    deepStrictEqual(checkDedupeField(settingsWith({ DEDUPE_FIELD: name })), [
      `DEDUPE_FIELD: expected a field that is not personal, got ${name}, whose values are stored as ` +
      "masks only",
    ]);
  });

  for (const command of ["run", "drain", "check", "explain"]) {
    Deno.test(`${command} refuses to start when DEDUPE_FIELD is ${name}`, async () => {
      const settings = {
        DEDUPE_FIELD: name,
        SQS_QUEUE_URL: "http://127.0.0.1:1/q",
        DATABASE_URL: "postgres://127.0.0.1:1/app",
        MASK_KEY: "k1:Ww+nvhE20shOmXP8YNUYqSs0x+6KAX1fkuZMszjR8Go=",
        VAULT_PUBLIC_KEY: "v1:pPBYQe7IJTTHsZoMnyrmV9TLNhAWfe6xmpG0TM4uD5U=",
      };
      const io = fakeIo({ settings, stdin: "{}" });
      strictEqual(await main([command], io), 2);
      const problem = `DEDUPE_FIELD: expected a field that is not personal, got ${name}, `;
      const { out, err } = io.written;
      ok((out + err).includes(problem), out + err);
    });
  }
}

Deno.test("checkDedupeField() returns nothing when no field or one that is not personal is set", () => {
  for (const values of [{}, { DEDUPE_FIELD: "event_id" }, { DEDUPE_FIELD: "user_id" }]) {
    deepStrictEqual(checkDedupeField(settingsWith(values)), []);
  }
});

Deno.test("explain shows the dedupe key when DEDUPE_FIELD is set", async () => {
  const { code, out } = await explain("event_id", event);
  strictEqual(code, 0);
  match(out, /event_id +ok +a string of 1 to 128 characters, or a whole number/);
  match(out, /^ +→ key = "d:e-1"$/m);
  ok(!out.includes("unknown keys"), out);
});

Deno.test("explain shows what it expected when the field of DEDUPE_FIELD is wrong", async () => {
  const { code, out } = await explain("event_id", { ...event, event_id: 1.5 });
  strictEqual(code, 1);
  strictEqual(
    out,
    "rejected: not_a_whole_number (event_id): The number has a fraction, or is above 2⁵³ and " +
      "not exact\nexpected: a string of 1 to 128 characters, or a whole number\n",
  );
});
