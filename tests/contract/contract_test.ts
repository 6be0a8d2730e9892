import { deepStrictEqual, match, strictEqual } from "node:assert";
import { type Contract } from "../../lib/contract/contract.ts";
import { decode } from "../../lib/contract/decode.ts";
import { login } from "../../lib/contract/login.ts";
import { createFastMasker } from "../../lib/mask/fast_mask.ts";
import { MaskCache } from "../../lib/pipeline/mask_cache.ts";
import { createTransform } from "../../lib/pipeline/transform.ts";
import { toStoredTable } from "../../lib/worker/contract.ts";

/** A second kind of event, which lib/ does not contain. */
const purchase: Contract = {
  name: "purchase",
  table: { schema: "shop", name: "purchases" },
  fields: [
    {
      name: "client",
      rule: { kind: "app_version" },
      column: { name: "client_version", type: "integer" },
      optional: true,
    },
    {
      name: "email",
      rule: { kind: "text", min: 3, max: 20, normalize: true },
      column: { name: "masked_email", type: "varchar(64)" },
      personal: true,
    },
    {
      name: "order",
      rule: { kind: "text", min: 2, max: 4 },
      column: { name: "order_no", type: "varchar(4)" },
    },
  ],
  sentDate: { name: "bought_on", type: "date" },
};

Deno.test("decode() reads a message when the contract is not login", () => {
  deepStrictEqual(decode(purchase, `{"order":"A7","email":" e@x.org ","client":"1.2"}`), {
    kind: "event",
    values: [1_002_000, "e@x.org", "A7"],
    unknownFields: 0,
  });
});

Deno.test("decode() returns null when an optional field of another contract is absent", () => {
  deepStrictEqual(decode(purchase, `{"order":"A7","email":"e@x.org","user_id":"u"}`), {
    kind: "event",
    values: [null, "e@x.org", "A7"],
    unknownFields: 1,
  });
});

Deno.test("decode() rejects by the length limits of another contract when a text exceeds them", () => {
  const rejects = (order: string, reason: string) =>
    deepStrictEqual(decode(purchase, JSON.stringify({ order, email: "e@x.org" })), {
      kind: "rejection",
      reason,
      field: "order",
    });
  rejects("A", "too_short");
  rejects("📱", "too_short");
  rejects("A1234", "too_long");
});

Deno.test("decode() rejects a login when the contract is another one", () => {
  deepStrictEqual(decode(purchase, `{"user_id":"u","ip":"::1"}`), {
    kind: "rejection",
    reason: "missing",
    field: "email",
  });
});

Deno.test("createTransform() masks the personal field when the contract is not login", async () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, index) => index * 7);
  const masker = await createFastMasker({ ring: [{ id: "k1", bytes }], fields: ["email"] });
  const transform = createTransform(purchase, new MaskCache({ masker }));
  const body = `{"order":"A7","email":"e@x.org"}`;
  const result = transform({
    id: "m-1",
    body,
    handle: "h-1",
    sentAt: Date.UTC(2026, 1, 28, 23, 59, 59, 999),
    receiveCount: 1,
  });
  strictEqual(result.kind, "row");
  if (result.kind !== "row") return;
  const [client, email, order] = result.row.values;
  deepStrictEqual([client, order, result.row.dateSent], [null, "A7", "2026-02-28"]);
  match(String(email), /^k1\.[\w-]{43}$/);
});

Deno.test("toStoredTable() names the columns when the contract is not login", () => {
  const table = toStoredTable(purchase);
  strictEqual(`${table.schema}.${table.name}`, "shop.purchases");
  deepStrictEqual(table.columns.map(({ name }) => name), [
    "client_version",
    "masked_email",
    "order_no",
  ]);
  strictEqual(table.dateSent.name, "bought_on");
});

Deno.test("login fills the columns of user_logins", () => {
  deepStrictEqual(
    [...login.fields.map(({ column }) => column), login.sentDate].map(({ name, type }) =>
      `${name} ${type}`
    ),
    [
      "user_id varchar(128)",
      "device_type varchar(32)",
      "masked_ip varchar(256)",
      "masked_device_id varchar(256)",
      "locale varchar(32)",
      "app_version integer",
      "create_date date",
    ],
  );
});

Deno.test("login marks the address and the device id as personal, and nothing else", () => {
  const personal = login.fields.filter((field) => field.personal).map(({ name }) => name);
  deepStrictEqual(personal, ["ip", "device_id"]);
});
