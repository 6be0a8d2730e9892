import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { login } from "../../lib/contract/login.ts";
import { toMaskedTable, toStoredTable } from "../../lib/worker/contract.ts";

Deno.test("toMaskedTable() returns the masked columns and the person's column when the contract has one", () => {
  deepStrictEqual(toMaskedTable(login), {
    ...toStoredTable(login),
    masked: [
      { field: "ip", column: { name: "masked_ip", type: "varchar(256)" } },
      { field: "device_id", column: { name: "masked_device_id", type: "varchar(256)" } },
    ],
    subject: { name: "user_id", type: "varchar(128)" },
  });
});

Deno.test("toMaskedTable() returns no person's column when the contract has none", () => {
  const { subject: _subject, ...withoutSubject } = login;
  strictEqual(toMaskedTable(withoutSubject).subject, undefined);
});

Deno.test("login has a subject that is not personal when its fields are listed", () => {
  ok(login.fields.some(({ name, personal }) => name === login.subject && !personal));
});
