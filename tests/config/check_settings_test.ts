import { deepStrictEqual, strictEqual } from "node:assert";
import { checkSettings } from "../../lib/config/check_settings.ts";
import { readSettings } from "../../lib/config/read_settings.ts";
import { fakeSource } from "../support/fake_io.ts";

const fine = {
  SQS_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/1/q",
  DATABASE_URL: "postgres://db/app",
  MASK_KEY: "k1:Ww+nvhE20shOmXP8YNUYqSs0x+6KAX1fkuZMszjR8Go=",
  VAULT_PUBLIC_KEY: "v1:Ww+nvhE20shOmXP8YNUYqSs0x+6KAX1fkuZMszjR8Go=",
};
const withQueue = {
  REJECTED_TO: "queue",
  SQS_DLQ_URL: "https://sqs.eu-west-1.amazonaws.com/1/dlq",
};

/** The settings that the problems in these tests are about. */
function wrongWith(changes: Readonly<Record<string, string>>): string[] {
  const problems = checkSettings(readSettings(fakeSource({ ...fine, ...changes }), []));
  return problems.map((problem) => problem.slice(0, problem.indexOf(":")));
}

Deno.test("checkSettings() returns nothing when all settings are valid", () => {
  deepStrictEqual(wrongWith({}), []);
});

Deno.test("checkSettings() returns nothing when VAULT=off and REJECTED_TO=queue", () => {
  deepStrictEqual(wrongWith({ VAULT: "off", VAULT_PUBLIC_KEY: "", ...withQueue }), []);
});

Deno.test("checkSettings() requires the vault's key when the vault is on", () => {
  deepStrictEqual(wrongWith({ VAULT_PUBLIC_KEY: "" }), ["VAULT_PUBLIC_KEY"]);
});

Deno.test("checkSettings() requires the vault's key when rejections go to a queue", () => {
  deepStrictEqual(wrongWith({ VAULT_PUBLIC_KEY: "", ...withQueue }), ["VAULT_PUBLIC_KEY"]);
});

Deno.test("checkSettings() requires a queue for rejections when the vault is off", () => {
  deepStrictEqual(wrongWith({ VAULT: "off" }), ["REJECTED_TO"]);
});

Deno.test("checkSettings() requires the dead-letter queue when rejections go to it", () => {
  deepStrictEqual(wrongWith({ REJECTED_TO: "queue" }), ["SQS_DLQ_URL"]);
});

Deno.test("checkSettings() refuses the dead-letter queue when it is the source queue itself", () => {
  deepStrictEqual(wrongWith({ ...withQueue, SQS_DLQ_URL: fine.SQS_QUEUE_URL }), ["SQS_DLQ_URL"]);
  // Two spellings of one URL.
  const other = "HTTPS://SQS.eu-west-1.amazonaws.com:443/1/q";
  deepStrictEqual(wrongWith({ ...withQueue, SQS_DLQ_URL: other }), ["SQS_DLQ_URL"]);
});

Deno.test("checkSettings() refuses MAX_IN_FLIGHT when it is smaller than a batch", () => {
  deepStrictEqual(wrongWith({ MAX_IN_FLIGHT: "499" }), ["MAX_IN_FLIGHT"]);
  deepStrictEqual(wrongWith({ MAX_IN_FLIGHT: "500" }), []);
});

Deno.test("checkSettings() returns all problems when there are several", () => {
  const values = { VAULT: "off", MAX_IN_FLIGHT: "10", SQS_DLQ_URL: fine.SQS_QUEUE_URL };
  deepStrictEqual(wrongWith(values), ["REJECTED_TO", "SQS_DLQ_URL", "MAX_IN_FLIGHT"]);
});

Deno.test("checkSettings() explains how to generate the vault's key when it is missing", () => {
  const [problem] = checkSettings(readSettings(fakeSource({ ...fine, VAULT_PUBLIC_KEY: "" }), []));
  strictEqual(
    problem,
    "VAULT_PUBLIC_KEY: is not set. Generate a key pair with `maskline keygen`, " +
      "or set VAULT=off and REJECTED_TO=queue",
  );
});
