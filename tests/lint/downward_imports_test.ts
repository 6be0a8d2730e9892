import { fails, imports, passes } from "../support/lint_sources.ts";

Deno.test("downward-imports passes when the import runs downward or stays in the room", () => {
  passes("main.ts", ...imports("./lib/cli/run.ts"), ...imports("./lib/event/decode.ts"));
  passes("lib/cli/run.ts", ...imports("../pipeline/pipeline.ts"), ...imports("../store/store.ts"));
  passes("lib/pipeline/pipeline.ts", ...imports("../queue/queue.ts"), ...imports("./batch.ts"));
  passes("lib/store/postgres.ts", ...imports("./sql/insert_ledger.ts"));
  passes("lib/store/sql/insert_ledger.ts", ...imports("../store.ts"));
});

Deno.test("downward-imports objects when the import runs upward", () => {
  fails("downward-imports", "lib/event/decode.ts", ...imports("../pipeline/batch.ts"));
  fails("downward-imports", "lib/pipeline/batch.ts", ...imports("../cli/run.ts"));
  fails("downward-imports", "lib/cli/run.ts", ...imports("../../main.ts"));
  fails("downward-imports", "lib/store/sql/insert_ledger.ts", ...imports("../../cli/run.ts"));
});

Deno.test("downward-imports objects when rooms of the ground floor meet, types included", () => {
  fails("downward-imports", "lib/event/decode.ts", ...imports("../mask/mask.ts"));
  fails("downward-imports", "lib/queue/sqs.ts", ...imports("../config/settings.ts"));
});

Deno.test("downward-imports lets lib/local import everything that is shipped", () => {
  for (const address of ["../cli/run.ts", "../pipeline/batch.ts", "../store/store.ts"]) {
    passes("lib/local/run.ts", ...imports(address));
  }
  passes("lib/local/run.ts", ...imports("../../main.ts"));
});

Deno.test("downward-imports objects when what is shipped imports lib/local", () => {
  fails("downward-imports", "main.ts", ...imports("./lib/local/run.ts"));
  fails("downward-imports", "lib/cli/run.ts", ...imports("../local/run.ts"));
  fails("downward-imports", "lib/queue/sqs.ts", ...imports("../local/run.ts"));
});

Deno.test("downward-imports objects when lib/ or main.ts imports tests/ or deploy/", () => {
  fails("downward-imports", "main.ts", ...imports("./deploy/compile.ts"));
  fails("downward-imports", "lib/local/run.ts", ...imports("../../tests/support/fake.ts"));
  fails("downward-imports", "lib/mask/mask.ts", ...imports("../../deploy/compile.ts"));
});

Deno.test("downward-imports lets tests/ and deploy/ import everything", () => {
  for (const file of ["tests/mask/mask_test.ts", "deploy/linux/compile.ts"]) {
    for (const address of ["lib/mask/mask.ts", "lib/local/run.ts", "main.ts", "tests/a.ts"]) {
      passes(file, ...imports(`../../${address}`));
    }
  }
});

Deno.test("downward-imports passes when the import is a package or a file of the root", () => {
  passes("lib/mask/mask.ts", ...imports("node:assert"), ...imports("@logtape/logtape"));
  passes("lib/cli/version.ts", ...imports("../../deno.json"));
});

Deno.test("downward-imports objects when a file of lib/ is in no room", () => {
  fails("downward-imports", "lib/utils/text.ts", "export const a = 1;");
  fails("downward-imports", "lib/mod.ts", "export const a = 1;");
});

Deno.test("downward-imports knows a file by its absolute name, as the linter gives it", () => {
  const file = new URL("../../lib/contract/decode.ts", import.meta.url).pathname;
  fails("downward-imports", file, ...imports("../mask/mask.ts"));
  passes(file, ...imports("./contract.ts"));
  passes("/elsewhere/lib/event/decode.ts", ...imports("../mask/mask.ts"));
});
