import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { login } from "../../lib/contract/login.ts";
import { toMaskedTable, toStoredTable } from "../../lib/worker/contract.ts";

Deno.test("toMaskedTable() names the masked columns and the one of the person when the contract has one", () => {
  deepStrictEqual(toMaskedTable(login), {
    ...toStoredTable(login),
    masked: [
      { field: "ip", column: { name: "masked_ip", type: "varchar(256)" } },
      { field: "device_id", column: { name: "masked_device_id", type: "varchar(256)" } },
    ],
    subject: { name: "user_id", type: "varchar(128)" },
  });
});

Deno.test("toMaskedTable() names no person when the contract names none", () => {
  const { subject: _subject, ...nobody } = login;
  strictEqual(toMaskedTable(nobody).subject, undefined);
});

Deno.test("login names the person by a field that is kept in clear", () => {
  ok(login.fields.some(({ name, personal }) => name === login.subject && !personal));
});
