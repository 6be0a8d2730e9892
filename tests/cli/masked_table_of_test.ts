import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { toMaskedTable } from "../../lib/cli/masked_table_of.ts";
import { toStoredTable } from "../../lib/cli/stored_table_of.ts";
import { login } from "../../lib/event/login.ts";

Deno.test("maskedTableOf() names the masked columns and the one of the person when the contract has one", () => {
  deepStrictEqual(toMaskedTable(login), {
    ...toStoredTable(login),
    masked: [
      { field: "ip", column: { name: "masked_ip", type: "varchar(256)" } },
      { field: "device_id", column: { name: "masked_device_id", type: "varchar(256)" } },
    ],
    subject: { name: "user_id", type: "varchar(128)" },
  });
});

Deno.test("maskedTableOf() names no person when the contract names none", () => {
  const { subject: _subject, ...nobody } = login;
  strictEqual(toMaskedTable(nobody).subject, undefined);
});

Deno.test("login names the person by a field that is kept in clear", () => {
  ok(login.fields.some(({ name, personal }) => name === login.subject && !personal));
});
