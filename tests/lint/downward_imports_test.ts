import { fails, imports, passes } from "../support/lint_sources.ts";

Deno.test("downward-imports accepts an import when it goes to a lower floor or stays in the room", () => {
  passes("main.ts", ...imports("./lib/cli/run.ts"), ...imports("./lib/contract/decode.ts"));
  passes("lib/cli/run.ts", ...imports("../custody/forget.ts"), ...imports("../store/store.ts"));
  passes("lib/custody/forget.ts", ...imports("../worker/keys.ts"), ...imports("./audit.ts"));
  passes("lib/worker/worker.ts", ...imports("../pipeline/pipeline.ts"));
  passes("lib/pipeline/pipeline.ts", ...imports("../queue/queue.ts"), ...imports("./batcher.ts"));
  passes("lib/mask/fast_mask.ts", ...imports("../base/hmac.ts"));
  passes(
    "lib/store/postgres/database.ts",
    ...imports("./sql/session.ts"),
    ...imports("../store.ts"),
  );
});

Deno.test("downward-imports reports an import when it goes to a higher floor", () => {
  fails("downward-imports", "lib/contract/decode.ts", ...imports("../pipeline/batcher.ts"));
  fails("downward-imports", "lib/pipeline/batcher.ts", ...imports("../cli/run.ts"));
  fails("downward-imports", "lib/worker/keys.ts", ...imports("../custody/audit.ts"));
  fails("downward-imports", "lib/custody/audit.ts", ...imports("../cli/command.ts"));
  fails("downward-imports", "lib/base/clock.ts", ...imports("../observe/log.ts"));
  fails("downward-imports", "lib/cli/run.ts", ...imports("../../main.ts"));
  fails("downward-imports", "lib/store/postgres/sql/a.ts", ...imports("../../../cli/run.ts"));
});

Deno.test("downward-imports reports an import when both rooms are on one floor, types included", () => {
  fails("downward-imports", "lib/contract/decode.ts", ...imports("../mask/mask.ts"));
  fails("downward-imports", "lib/queue/sqs/signature.ts", ...imports("../../config/settings.ts"));
});

Deno.test("downward-imports reports an import when a seam imports a backend, or a backend another one", () => {
  fails("downward-imports", "lib/queue/queue.ts", ...imports("./sqs/sqs_queue.ts"));
  fails("downward-imports", "lib/store/row_store.ts", ...imports("./postgres/database.ts"));
  fails("downward-imports", "lib/queue/kafka/kafka_queue.ts", ...imports("../sqs/deadline.ts"));
  passes("lib/queue/sqs/sqs_queue.ts", ...imports("../queue.ts"), ...imports("./calls.ts"));
});

Deno.test("downward-imports accepts an import of lib/local only when the demonstration has it", () => {
  passes("lib/cli/demo.ts", ...imports("../local/queue.ts"));
  fails("downward-imports", "main.ts", ...imports("./lib/local/queue.ts"));
  fails("downward-imports", "lib/cli/run.ts", ...imports("../local/queue.ts"));
  fails("downward-imports", "lib/queue/queue.ts", ...imports("../local/queue.ts"));
  fails("downward-imports", "lib/local/sample.ts", ...imports("../cli/main.ts"));
});

Deno.test("downward-imports reports an import when it is of the demonstration", () => {
  fails("downward-imports", "main.ts", ...imports("./lib/cli/demo.ts"));
  fails("downward-imports", "lib/cli/main.ts", ...imports("./demo.ts"));
});

Deno.test("downward-imports reports an import when lib/ or main.ts imports tests/ or deploy/", () => {
  fails("downward-imports", "main.ts", ...imports("./deploy/compile.ts"));
  fails("downward-imports", "lib/local/queue.ts", ...imports("../../tests/support/fake.ts"));
  fails("downward-imports", "lib/mask/mask.ts", ...imports("../../deploy/compile.ts"));
});

Deno.test("downward-imports accepts every import when the file is in tests/ or deploy/", () => {
  for (const file of ["tests/mask/mask_test.ts", "deploy/linux/compile.ts"]) {
    for (const address of ["lib/mask/mask.ts", "lib/local/queue.ts", "main.ts", "tests/a.ts"]) {
      passes(file, ...imports(`../../${address}`));
    }
  }
});

Deno.test("downward-imports accepts an import when it is a package or a file of the root", () => {
  passes("lib/mask/mask.ts", ...imports("node:assert"), ...imports("@logtape/logtape"));
  passes("lib/cli/main.ts", ...imports("../../deno.json"));
});

Deno.test("downward-imports reports a file of lib/ when it is in no room", () => {
  fails("downward-imports", "lib/utils/text.ts", "export const a = 1;");
  fails("downward-imports", "lib/mod.ts", "export const a = 1;");
});

Deno.test("downward-imports recognizes a file when its path is absolute, as the linter passes it", () => {
  const file = new URL("../../lib/contract/decode.ts", import.meta.url).pathname;
  fails("downward-imports", file, ...imports("../mask/mask.ts"));
  passes(file, ...imports("./contract.ts"));
  passes("/elsewhere/lib/contract/decode.ts", ...imports("../mask/mask.ts"));
});
