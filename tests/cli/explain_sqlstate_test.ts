import { match, ok, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { sqlstates } from "../../lib/store/postgres/sqlstate.ts";
import { fakeIo } from "../support/fake_io.ts";

Deno.test("explain-sqlstate prints the kind and the action when a code is given", async () => {
  const io = fakeIo();
  strictEqual(await main(["explain-sqlstate", "57P01"], io), 0);
  match(io.written.out, /^57 +transient .*\nkeep the messages in flight, stop receiving/);
});

Deno.test("explain-sqlstate prints fatal when the code is not listed", async () => {
  const io = fakeIo();
  await main(["explain-sqlstate", "XX000"], io);
  match(io.written.out, /^fatal/);
});

Deno.test("explain-sqlstate prints every row when no code is given", async () => {
  const io = fakeIo();
  await main(["explain-sqlstate"], io);
  for (const { code, why } of sqlstates) {
    ok(io.written.out.includes(code) && io.written.out.includes(why));
  }
});

Deno.test("explain-sqlstate exits with 2 when the code is not an SQLSTATE", async () => {
  const io = fakeIo();
  strictEqual(await main(["explain-sqlstate", "57p01"], io), 2);
});
