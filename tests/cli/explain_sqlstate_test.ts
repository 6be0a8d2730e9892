import { match, ok, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { sqlstates } from "../../lib/store/postgres/sqlstate.ts";
import { fakeIo } from "../support/fake_io.ts";

Deno.test("explain-sqlstate tells the kind and what follows when a code is given", async () => {
  const io = fakeIo();
  strictEqual(await main(["explain-sqlstate", "57P01"], io), 0);
  match(io.written.out, /^57 +transient .*\nhold what is there/);
});

Deno.test("explain-sqlstate says fatal when the code stands in no table", async () => {
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

Deno.test("explain-sqlstate says wrong usage when the code is none", async () => {
  const io = fakeIo();
  strictEqual(await main(["explain-sqlstate", "57p01"], io), 2);
});
