import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { login } from "../../lib/contract/login.ts";
import { createFastMasker } from "../../lib/mask/fast_mask.ts";
import { MaskCache } from "../../lib/pipeline/mask_cache.ts";
import { createTransform, formatUtcDate } from "../../lib/pipeline/transform.ts";
import { writeMessage } from "../support/messages.ts";

const masker = await createFastMasker({
  ring: [{ id: "k1", bytes: new Uint8Array(32).fill(7) }],
  fields: [
    "ip",
    "device_id",
  ],
});
const transform = createTransform(login, new MaskCache({ masker }));

const event = {
  user_id: "u-1",
  device_type: "ios",
  ip: "203.0.113.9",
  device_id: "device-9",
  locale: "de_DE",
  app_version: "1.2.3",
};

Deno.test("createTransform() replaces originals with masks when a message is an event", () => {
  const result = transform(writeMessage("a", 1, JSON.stringify(event)));
  ok(result.kind === "row");
  deepStrictEqual(result.row.values, [
    "u-1",
    "ios",
    masker.mask("ip", "203.0.113.9"),
    masker.mask("device_id", "device-9"),
    "de_DE",
    1_002_003,
  ]);
});

Deno.test("createTransform() leaves no original in the row when a message is an event", () => {
  const result = transform(writeMessage("a", 1, JSON.stringify(event)));
  ok(result.kind === "row");
  const text = JSON.stringify(result.row);
  ok(!text.includes(event.ip) && !text.includes(event.device_id), text);
});

Deno.test("createTransform() computes the mask of the canonical value when a value has another form", () => {
  const rows = ["203.0.113.9", "::ffff:203.0.113.9"].map((ip) =>
    transform(writeMessage("a", 1, JSON.stringify({ ...event, ip })))
  );
  const [plain, mapped] = rows.map((result) => result.kind === "row" && result.row.values[2]);
  strictEqual(plain, mapped);
});

Deno.test("createTransform() sets the row's id and day from the message", () => {
  const result = transform(writeMessage("a", 1, JSON.stringify(event)));
  ok(result.kind === "row");
  deepStrictEqual([result.row.id, result.row.dateSent], ["a", "2026-02-03"]);
});

Deno.test("createTransform() sets the event's key when the contract has a field for it", () => {
  const keyed = createTransform(
    { ...login, dedupeField: "event_id" },
    new MaskCache({ masker }),
  );
  const result = keyed(writeMessage("a", 1, JSON.stringify({ ...event, event_id: 7 })));
  ok(result.kind === "row");
  strictEqual(result.row.key, "d:7");
});

Deno.test("createTransform() sets no key when the contract has no field for it", () => {
  const result = transform(writeMessage("a", 1, JSON.stringify({ ...event, event_id: 7 })));
  ok(result.kind === "row" && !Object.hasOwn(result.row, "key"));
});

Deno.test("createTransform() counts the fields that the contract does not have", () => {
  const body = JSON.stringify({ ...event, extra: 1, more: 2 });
  const result = transform(writeMessage("a", 1, body));
  ok(result.kind === "row");
  strictEqual(result.unknownFields, 2);
});

Deno.test("createTransform() rejects with reason and field when a message is not an event", () => {
  const result = transform(writeMessage("a", 1, JSON.stringify({ ...event, ip: "somewhere" })));
  ok(result.kind === "rejection");
  strictEqual(result.rejection.field, "ip");
  strictEqual(result.rejection.storeCode, null);
  ok(!JSON.stringify(result).includes("somewhere"));
});

Deno.test("createTransform() rejects without a field when the body is not JSON", () => {
  const result = transform(writeMessage("a", 1, "{"));
  deepStrictEqual(result, {
    kind: "rejection",
    rejection: { reason: "not_json", field: null, storeCode: null },
  });
});

Deno.test("formatUtcDate() returns the day in UTC when the local day differs", () => {
  strictEqual(formatUtcDate(Date.UTC(2026, 11, 31, 23, 59, 59, 999)), "2026-12-31");
  strictEqual(formatUtcDate(Date.UTC(2027, 0, 1)), "2027-01-01");
});
